import { randomUUID } from 'node:crypto';
import { exportSPKI, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nowSeconds, openBudget, startEdgeStack, type EdgeStack } from './edge-stack.ts';
import { forge, hs256, signText, unsigned } from './forged-tokens.ts';

let stack: EdgeStack;

beforeAll(async () => {
  stack = await startEdgeStack();
}, 60_000);

afterAll(() => stack.stop());

type Token = () => Promise<string | null> | string | null;

const ourKey = () => stack.issuer.keyId;
const signed = (claims: object, header?: Readonly<Record<string, unknown>>) => () =>
  stack.issuer.sign({ ...stack.claims(), ...claims }, header);
const signedLater = (claims: () => object) => () => signed(claims())();
const signedText = (edit: { header?: (text: string) => string; claims?: (text: string) => string }) => () => {
  const { header = String, claims = String } = edit;
  return signText(stack.issuer, header(JSON.stringify({ alg: 'ES256', kid: ourKey() })), claims(JSON.stringify(stack.claims())));
};
const anon = { role: 'anon', iss: 'supabase' };
const service = { role: 'service_role', iss: 'supabase' };

/** What Auth has not signed. */
const forged: Record<string, Token> = {
  'no token': () => null,
  'a token that is none': () => 'sb_publishable_test',
  'alg none': () => unsigned({ alg: 'none' }, stack.claims()),
  'alg none with a signature': () => unsigned({ alg: 'none' }, stack.claims(), 'AAAA'),
  'alg none in other letters': () => unsigned({ alg: 'nOnE' }, stack.claims()),
  'no alg': () => unsigned({ kid: ourKey() }, stack.claims(), 'AAAA'),
  'HS256 signed with the public key': async () => {
    const key = await exportSPKI((await importJWK(stack.issuer.jwks.keys[0]!, 'ES256')) as CryptoKey);
    return hs256(key, stack.claims(), { kid: ourKey() });
  },
  'HS256 signed with the published key set': () => hs256(JSON.stringify(stack.issuer.jwks), stack.claims(), { kid: ourKey() }),
  'HS256 signed with nothing': () => hs256('', stack.claims(), { kid: ourKey() }),
  'an HS256 anon key': () => hs256('secret', anon),
  'an HS256 service key': () => hs256('secret', service),
  'an embedded jwk': () => forge(stack.claims(), ourKey(), (jwk) => ({ jwk })),
  'a jku': () => forge(stack.claims(), ourKey(), () => ({ jku: `${stack.upstream.url}/keys` })),
  'an x5u': () => forge(stack.claims(), ourKey(), () => ({ x5u: `${stack.upstream.url}/certificate` })),
  'a key of another signer under our kid': () => forge(stack.claims(), ourKey()),
  'a stripped signature': async () => (await signed({})()).replace(/[^.]+$/, ''),
  'a signature of zeros': async () => (await signed({})()).replace(/[^.]+$/, 'A'.repeat(86)),
  'an edited claim': async () => {
    const [header, , signature] = (await signed({})()).split('.');
    const [, edited] = unsigned({}, { ...stack.claims(), tenant_id: stack.otherTenantId }).split('.');
    return `${header}.${edited}.${signature}`;
  },
  'two tokens': async () => `${await signed({})()}, Bearer ${await signed({})()}`,
};

/** Signed with Auth's key, and yet not a token that is valid here and now. */
const misused: Record<string, Token> = {
  'a signed anon token': signed({ role: 'anon' }),
  'a signed service token': signed({ role: 'service_role' }),
  'roles in an array': signed({ role: ['authenticated', 'service_role'] }),
  'no role': signed({ role: undefined }),
  'a path in kid': signed({}, { kid: '../../etc/passwd' }),
  'SQL in kid': signed({}, { kid: "' or 1=1 --" }),
  'an unknown kid': signed({}, { kid: 'unknown' }),
  'an extension in crit that nobody here knows': signedText({ header: (text) => text.replace('{', '{"crit":["exp"],"exp":1,') }),
  'an empty crit': signedText({ header: (text) => text.replace('{', '{"crit":[],') }),
  'an expired token': signedLater(() => ({ iat: nowSeconds() - 700, exp: nowSeconds() - 100 })),
  'nbf in the future': signedLater(() => ({ nbf: nowSeconds() + 300 })),
  'iat in the future': signedLater(() => ({ iat: nowSeconds() + 300, exp: nowSeconds() + 900 })),
  'exp as a text': signedLater(() => ({ exp: String(nowSeconds() + 600) })),
  'issued longer ago than any session lives': signedLater(() => ({ iat: nowSeconds() - 8 * 86_400 })),
  'another audience': signed({ aud: 'other' }),
  'no audience': signed({ aud: undefined }),
  'another issuer': signed({ iss: 'https://attacker.example/auth/v1' }),
  'no exp': signed({ exp: undefined }),
  'no sub': signed({ sub: undefined }),
  'a sub that is no user id': signed({ sub: 'alice' }),
  'no iat': signed({ iat: undefined }),
  'a token over 8 KiB': signed({ padding: 'x'.repeat(8 * 1024) }),
  'a claim that is there twice': signedText({ claims: (text) => text.replace('{', `{"tenant_id":"${randomUUID()}",`) }),
  'a claim that is there twice, once with an escape': signedText({
    claims: (text) => text.replace('{', '{"tenant\\u005fid":"x",'),
  }),
  'a header that is there twice': signedText({ header: (text) => text.replace('{', '{"alg":"none",') }),
  '__proto__ in the claims': signedText({ claims: (text) => text.replace('{', '{"__proto__":{"role":"service_role"},') }),
  'U+0000 in a claim': signedLater(() => ({ tenant_id: `${stack.tenantId}\0` })),
  'claims that are no JSON': signedText({ claims: () => 'tenant_id=1' }),
};

describe('401 with one body for all, before anything is asked of the database', () => {
  test.for(Object.entries({ ...forged, ...misused }))('%s', async ([, makeToken]) => {
    const requestsBefore = stack.upstream.restRequests();
    const token = await makeToken();
    const response = await stack.withoutRow(() =>
      stack.post(openBudget(), { Authorization: token === null ? '' : `Bearer ${token}` }),
    );
    await expectNotSignedIn(response);
    expect(stack.upstream.restRequests()).toBe(requestsBefore);
  });

  test.for(['access_token', 'token', 'jwt', 'apikey'])('a valid token in the query as %s', async (name) => {
    const token = await signed({})();
    const post = () =>
      fetch(`${stack.url}?${name}=${token}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', apikey: token, Cookie: `${name}=${token}` },
        body: JSON.stringify({ ...openBudget(), [name]: token }),
      });
    await expectNotSignedIn(await stack.withoutRow(post));
  });
});

describe('past the function, at PostgREST: 401 for what Auth has not signed, and no row', () => {
  test.for(Object.entries(forged))('%s', async ([, makeToken]) => {
    const token = await makeToken();
    const response = await stack.withoutRow(() => submitPastFunction(token));
    expect(response.status).toBe(401);
  });

  test.for(['anon', 'service_role'])('the role %s may not submit', async (role) => {
    const token = await signed({ role })();
    const response = await stack.withoutRow(() => submitPastFunction(token));
    expect(await response.json()).toMatchObject({ code: '42501' });
  });
});

test('unknown key ids make the function ask for the keys once in a while only', async () => {
  const before = stack.upstream.keyRequests();
  const unknown = signed({}, { kid: 'unknown' });
  for (let attempt = 0; attempt < 10; attempt += 1) {
    await stack.post(openBudget(), { Authorization: `Bearer ${await unknown()}` });
  }
  expect(stack.upstream.keyRequests() - before).toBeLessThanOrEqual(1);
});

test('a clock that is 25 s off signs nobody out (PostgREST allows 30 s)', async () => {
  const token = await stack.issuer.sign({ ...stack.claims(), iat: nowSeconds() + 25, exp: nowSeconds() + 625 });
  expect((await stack.post(openBudget(), { Authorization: `Bearer ${token}` })).status).toBe(202);
});

async function submitPastFunction(token: string | null): Promise<Response> {
  const { commandId: command_id, aggregateId: aggregate_id, type, payload } = openBudget();
  return fetch(`${stack.postgrestUrl}/rpc/submit_command`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token !== null && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ command_id, type, aggregate_type: 'budget', aggregate_id, payload }),
  });
}

async function expectNotSignedIn(response: Response): Promise<void> {
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
}
