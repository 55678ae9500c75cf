import { createHmac, randomUUID } from 'node:crypto';
import { base64url, exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nowSeconds, openBudget, startEdgeStack, type EdgeStack } from './edge-stack.ts';

let stack: EdgeStack;

beforeAll(async () => {
  stack = await startEdgeStack();
}, 60_000);

afterAll(() => stack.stop());

type Forge = () => Promise<string | null>;

const signed = (claims: object, header?: Readonly<Record<string, unknown>>) => () =>
  stack.issuer.sign({ ...stack.claims(), ...claims }, header);
const signedLater = (claims: () => object) => () => signed(claims())();

/** Signs with a key of the attacker's, and whatever header shall make it pass. */
const forged = (header: (jwk: object) => object) => async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return new SignJWT(stack.claims())
    .setProtectedHeader({ alg: 'ES256', kid: stack.issuer.keyId, ...header(await exportJWK(publicKey)) })
    .sign(privateKey);
};

/** Claims as raw JSON text, validly signed. */
const signedText = (edit: (claims: string) => string) => async () => {
  const header = base64url.encode(JSON.stringify({ alg: 'ES256', kid: stack.issuer.keyId }));
  const content = `${header}.${base64url.encode(edit(JSON.stringify(stack.claims())))}`;
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    stack.issuer.privateKey,
    new TextEncoder().encode(content),
  );
  return `${content}.${base64url.encode(new Uint8Array(signature))}`;
};

const attacks: Record<string, Forge> = {
  'no token': async () => null,
  'a token that is none': async () => 'sb_publishable_test',
  'alg none': async () => `${encode({ alg: 'none' })}.${encode(stack.claims())}.`,
  'alg none with a signature': async () => `${encode({ alg: 'none' })}.${encode(stack.claims())}.AAAA`,
  'HS256 signed with the public key': async () => {
    const key = await exportSPKI((await importJWK(stack.issuer.jwks.keys[0]!, 'ES256')) as CryptoKey);
    return hs256(key, { kid: stack.issuer.keyId });
  },
  'an HS256 anon key': async () => hs256('secret', {}, { role: 'anon', iss: 'supabase', aud: undefined, sub: undefined }),
  'an HS256 service key': async () => hs256('secret', {}, { role: 'service_role', iss: 'supabase', aud: undefined, sub: undefined }),
  'a signed anon token': signed({ role: 'anon' }),
  'a signed service token': signed({ role: 'service_role' }),
  'an embedded jwk': forged((jwk) => ({ jwk })),
  'a jku': forged(() => ({ jku: `${stack.upstream.url}/keys` })),
  'an x5u': forged(() => ({ x5u: `${stack.upstream.url}/certificate` })),
  'a key of another signer under our kid': forged(() => ({})),
  'a path in kid': signed({}, { kid: '../../etc/passwd' }),
  'SQL in kid': signed({}, { kid: "' or 1=1 --" }),
  'an unknown kid': signed({}, { kid: 'unknown' }),
  'an expired token': signedLater(() => ({ iat: nowSeconds() - 700, exp: nowSeconds() - 100 })),
  'nbf in the future': signedLater(() => ({ nbf: nowSeconds() + 300 })),
  'iat in the future': signedLater(() => ({ iat: nowSeconds() + 300, exp: nowSeconds() + 900 })),
  'another audience': signed({ aud: 'other' }),
  'another issuer': signed({ iss: 'https://attacker.example/auth/v1' }),
  'no exp': signed({ exp: undefined }),
  'no sub': signed({ sub: undefined }),
  'a sub that is no user id': signed({ sub: 'alice' }),
  'no iat': signed({ iat: undefined }),
  'a stripped signature': async () => (await signed({})()).replace(/[^.]+$/, ''),
  'an edited claim': async () => {
    const [header, , signature] = (await signed({})()).split('.');
    return `${header}.${encode({ ...stack.claims(), tenant_id: stack.otherTenantId })}.${signature}`;
  },
  'a token over 8 KiB': signed({ padding: 'x'.repeat(8 * 1024) }),
  'a claim that is there twice': signedText((claims) => claims.replace('{', `{"tenant_id":"${randomUUID()}",`)),
  'a claim that is there twice, once with an escape': signedText((claims) => claims.replace('{', '{"tenant\\u005fid":"x",')),
  'claims that are no JSON': signedText(() => 'tenant_id=1'),
};

describe('401 with one body for all, before anything is asked of the database', () => {
  test.for(Object.entries(attacks))('%s', async ([, forge]) => {
    const requestsBefore = stack.upstream.restRequests();
    const token = await forge();
    const response = await stack.post(openBudget(), { Authorization: token === null ? '' : `Bearer ${token}` });
    const { traceId: _, ...body } = (await response.json()) as { traceId: string };
    expect(response.status).toBe(401);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    expect(body).toEqual({
      type: 'urn:intent:problem:IN401',
      title: 'Not signed in',
      status: 401,
      code: 'IN401',
      detail: 'A valid access token is needed: sign in again.',
      errors: [],
    });
    expect(stack.upstream.restRequests()).toBe(requestsBefore);
  });
});

test('unknown key ids make the function ask for the keys once in a while only', async () => {
  const before = stack.upstream.keyRequests();
  const forge = signed({}, { kid: 'unknown' });
  for (let attempt = 0; attempt < 10; attempt += 1) await stack.post(openBudget(), { Authorization: `Bearer ${await forge()}` });
  expect(stack.upstream.keyRequests() - before).toBeLessThanOrEqual(1);
});

test('a clock that is 25 s off signs nobody out (PostgREST allows 30 s)', async () => {
  const token = await stack.issuer.sign({ ...stack.claims(), iat: nowSeconds() + 25, exp: nowSeconds() + 625 });
  expect((await stack.post(openBudget(), { Authorization: `Bearer ${token}` })).status).toBe(202);
});

function encode(value: object): string {
  return base64url.encode(JSON.stringify(value));
}

function hs256(secret: string, header: object, claims: object = {}): string {
  const content = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode({ ...stack.claims(), ...claims })}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}
