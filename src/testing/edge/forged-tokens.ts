import { createHmac } from 'node:crypto';
import { base64url, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { TokenIssuer } from './token-issuer.ts';

/** Signed with a key of the attacker's, under our key id and whatever header shall make it pass. */
export async function forge(claims: object, keyId: string, header: (jwk: object) => object = () => ({})): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: keyId, ...header(await exportJWK(publicKey)) })
    .sign(privateKey);
}

/** Header and claims as they are, with a signature that is none. */
export function unsigned(header: object, claims: object, signature = ''): string {
  return `${encode(header)}.${encode(claims)}.${signature}`;
}

export function hs256(secret: string, claims: object, header: object = {}): string {
  const content = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(claims)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

/** Header and claims as raw JSON text, validly signed: what no honest issuer writes. */
export async function signText(issuer: TokenIssuer, header: string, claims: string): Promise<string> {
  const content = `${base64url.encode(header)}.${base64url.encode(claims)}`;
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    issuer.privateKey,
    new TextEncoder().encode(content),
  );
  return `${content}.${base64url.encode(new Uint8Array(signature))}`;
}

function encode(value: object): string {
  return base64url.encode(JSON.stringify(value));
}
