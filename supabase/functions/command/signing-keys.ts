import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';

const fetchTimeoutMs = 3_000;
const refreshAfterMs = 600_000;
/** A token with an unknown key id may cause a fetch only this often. */
const refetchPauseMs = 30_000;
const pauseAfterFailureMs = 1_000;

export class SigningKeysUnavailable extends Error {
  constructor(cause: unknown) {
    super('Auth gives no signing keys and none are cached', { cause });
    this.name = 'SigningKeysUnavailable';
  }
}

/** Auth's public keys. If Auth cannot be reached, the last known ones serve: a failure of Auth must sign nobody out. */
export function createSigningKeys(url: URL): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: fetchTimeoutMs,
    cacheMaxAge: refreshAfterMs,
    cooldownDuration: refetchPauseMs,
  });
  let failure: unknown;
  let pauseUntil = 0;

  return async (header, token) => {
    if (Date.now() >= pauseUntil) {
      try {
        return await remote(header, token);
      } catch (error) {
        if (isFaultOfToken(error)) throw error;
        failure = error;
        pauseUntil = Date.now() + pauseAfterFailureMs;
      }
    }
    const lastKnown = remote.jwks();
    if (lastKnown === undefined) throw new SigningKeysUnavailable(failure);
    return createLocalJWKSet(lastKnown)(header, token);
  };
}

function isFaultOfToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}
