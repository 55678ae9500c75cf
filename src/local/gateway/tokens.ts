import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { z } from 'zod';

const algorithm = 'ES256';
const audience = 'authenticated';

const claimsSchema = z.looseObject({
  sub: z.uuid(),
  exp: z.number(),
  role: z.literal('authenticated'),
  session_id: z.uuid(),
});

/** What a valid access token says. Times are seconds since 1970. */
export type Claims = z.infer<typeof claimsSchema>;

export interface SigningKeys {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly keyId: string;
}

export interface Tokens {
  sign(claims: JWTPayload): Promise<string>;
  /** Throws jose's error if the token is not one of ours, or not valid now. */
  verify(token: string): Promise<Claims>;
  readonly jwks: { readonly keys: readonly JWK[] };
  readonly issuer: string;
  /** From now on. `alsoTrusted`: public keys beside it, of a standby key say, or of the one before. */
  useKeys(signing: SigningKeys, alsoTrusted: readonly JWK[]): void;
}

/** @throws TypeError if the key is not a private ES256 key with a key id. */
export async function importSigningKeys(signingKey: JWK): Promise<SigningKeys> {
  const { kty, crv, x, y, d, kid: keyId } = signingKey;
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y || !d || !keyId) {
    throw new TypeError('The signing key must be a private P-256 key with a kid.');
  }
  const publicParts: JWK = { kty, crv, x, y };
  const privateKey = (await importJWK(signingKey, algorithm)) as CryptoKey;
  const publicJwk = { ...publicParts, kid: keyId, alg: algorithm, use: 'sig', key_ops: ['verify'] };
  return { privateKey, publicJwk, keyId };
}

export function createTokens(firstKeys: SigningKeys, issuer: string): Tokens {
  let signing = firstKeys;
  let trusted = { keys: [firstKeys.publicJwk] };
  let findKey = createLocalJWKSet(trusted);
  return {
    issuer,
    get jwks() {
      return trusted;
    },

    useKeys(keys, alsoTrusted) {
      signing = keys;
      trusted = { keys: [keys.publicJwk, ...alsoTrusted] };
      findKey = createLocalJWKSet(trusted);
    },

    sign(claims) {
      const header = { alg: algorithm, typ: 'JWT', kid: signing.keyId };
      return new SignJWT(claims).setProtectedHeader(header).sign(signing.privateKey);
    },

    async verify(token) {
      const { payload } = await jwtVerify(token, findKey, { algorithms: [algorithm], issuer, audience });
      return claimsSchema.parse(payload);
    },
  };
}
