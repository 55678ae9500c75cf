import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JSONWebKeySet, JWTHeaderParameters } from 'jose';

export interface TokenIssuer {
  readonly privateKey: CryptoKey;
  readonly keyId: string;
  readonly jwks: JSONWebKeySet;
  /** Signs a token as Supabase Auth does. A claim or header given as undefined is left out. */
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Signing keys in place of Supabase Auth's, so that a test can sign what Auth never would. */
export async function createTokenIssuer(keyId = 'test-key'): Promise<TokenIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: keyId, alg: 'ES256', use: 'sig' };
  return {
    privateKey,
    keyId,
    jwks: { keys: [jwk] },
    sign: (claims, header) =>
      // Headers that no honest issuer writes are the point.
      new SignJWT(present(claims))
        .setProtectedHeader(present({ alg: 'ES256', typ: 'JWT', kid: keyId, ...header }) as unknown as JWTHeaderParameters)
        .sign(privateKey),
  };
}

function present(entries: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}
