import type { Secrets } from './secrets.ts';

/** What everybody may know of the signing key, as a JSON Web Key Set. */
export function publicKeys({ signingKey }: Secrets) {
  const { kty, crv, x, y, alg, use, kid } = signingKey;
  return { keys: [{ kty, crv, x, y, alg, use, kid }] };
}
