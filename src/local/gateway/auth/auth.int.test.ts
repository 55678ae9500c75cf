import type { SupabaseClient } from '@supabase/supabase-js';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createUser } from '../seed-user.ts';
import { password, publishableKey, startTestGateway } from '../testing/test-gateway.ts';
import type { TestGateway } from '../testing/test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  // The first token after a start is another one: see access-token-hook.int.test.ts.
  await gateway.signUp('first');
});

afterAll(() => gateway.stop());

test('the right password signs in, with the claims of Supabase for ten minutes', async () => {
  const { userId, email, client } = await gateway.signUp('claims');
  const { data } = await client.auth.getSession();
  const claims = await gateway.tokens.verify(data.session!.access_token);
  expect(claims).toMatchObject({
    iss: `${gateway.url}/auth/v1`,
    sub: userId,
    aud: 'authenticated',
    role: 'authenticated',
    email,
    aal: 'aal1',
    amr: [{ method: 'password' }],
    app_metadata: { provider: 'email' },
    user_metadata: {},
    is_anonymous: false,
  });
  expect(claims.exp - Number(claims['iat'])).toBe(600);
  expect(data.session!.user).toMatchObject({ id: userId, email, role: 'authenticated' });
});

test('the published key verifies a token, and needs no api key to be read', async () => {
  const { userId, client } = await gateway.signUp('jwks');
  const token = (await client.auth.getSession()).data.session!.access_token;
  const keys = createRemoteJWKSet(new URL(`${gateway.url}/auth/v1/.well-known/jwks.json`));
  const { payload } = await jwtVerify(token, keys, { algorithms: ['ES256'], issuer: `${gateway.url}/auth/v1` });
  expect(payload.sub).toBe(userId);
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'JWT', kid: 'key-of-a-test' });
  expect((await client.auth.getClaims()).data?.claims.sub).toBe(userId);
});

test('the published key set holds nothing private', async () => {
  const answer = await fetch(`${gateway.url}/auth/v1/.well-known/jwks.json`);
  const { keys } = (await answer.json()) as { keys: object[] };
  expect(Object.keys(keys[0]!).toSorted()).toEqual(['alg', 'crv', 'key_ops', 'kid', 'kty', 'use', 'x', 'y']);
});

test('a wrong password and an unknown address get the same answer: invalid_credentials', async () => {
  const { email } = await gateway.signUp('wrong');
  const wrong = await gateway.client().auth.signInWithPassword({ email, password: 'guess' });
  const unknown = await gateway.client().auth.signInWithPassword({ email: 'nobody@gateway.example', password: 'guess' });
  expect(wrong.error).toMatchObject({ status: 400, code: 'invalid_credentials', message: 'Invalid login credentials' });
  expect(unknown.error).toEqual(wrong.error);
});

test('the eleventh attempt in a minute is refused with 429, the right password included', async () => {
  const { email } = await gateway.signUp('guessed');
  const attempts = await Promise.all(
    Array.from({ length: 10 }, () => gateway.client().auth.signInWithPassword({ email, password: 'guess' })),
  );
  expect(new Set(attempts.map(({ error }) => error?.status))).toEqual(new Set([400]));
  const { error } = await gateway.client().auth.signInWithPassword({ email, password });
  expect(error).toMatchObject({ status: 429, code: 'over_request_rate_limit' });
});

test('too many sign-ins at once, each for another address, are refused with 429 and never a fault', async () => {
  // As many as it takes on this machine: a password check lasts some milliseconds.
  const flood = (size: number) =>
    Promise.all(Array.from({ length: size }, (_, n) => signIn(JSON.stringify({ email: `flood-${size}-${n}@gateway.example`, password: 'guess' }))));
  const statuses = new Set<number>();
  for (let size = 40; size <= 320 && !statuses.has(429); size *= 2) {
    for (const { status } of await flood(size)) statuses.add(status);
  }
  expect(statuses).toEqual(new Set([400, 429]));
  expect((await gateway.signUp('after-the-flood')).userId).toBeDefined();
});

test('a refresh keeps the session and rotates the refresh token', async () => {
  const { client } = await gateway.signUp('rotates');
  const before = (await client.auth.getSession()).data.session!;
  const after = (await client.auth.refreshSession()).data.session!;
  expect(after.refresh_token).not.toBe(before.refresh_token);
  const [first, second] = await Promise.all([before, after].map(({ access_token }) => gateway.tokens.verify(access_token)));
  expect(second!.session_id).toBe(first!.session_id);
});

/** Of a session that has been refreshed `times` times: all its refresh tokens, the current one last. */
async function refreshTokens(name: string, times: number): Promise<{ tokens: string[]; refresh: (token: string) => ReturnType<SupabaseClient['auth']['refreshSession']> }> {
  const { client } = await gateway.signUp(name);
  const tokens = [(await client.auth.getSession()).data.session!.refresh_token];
  for (let n = 0; n < times; n += 1) tokens.push((await client.auth.refreshSession()).data.session!.refresh_token);
  return { tokens, refresh: (refresh_token) => gateway.client().auth.refreshSession({ refresh_token }) };
}

/** As if the token had been used so long ago. */
async function age(token: string, seconds: number): Promise<void> {
  await gateway.admin.query('update auth.refresh_tokens set updated_at = updated_at - make_interval(secs => $2) where token = $1', [token, seconds]);
}

test('a refresh token that comes again is answered with the current one, however late, because its answer may have been lost', async () => {
  const { tokens, refresh } = await refreshTokens('lost', 1);
  await age(tokens[0]!, 3600);
  expect((await refresh(tokens[0]!)).data.session?.refresh_token).toBe(tokens[1]);
  expect((await refresh(tokens[1]!)).error).toBeNull();
});

test('two tabs that refresh at once get the same token', async () => {
  const { tokens, refresh } = await refreshTokens('tabs', 0);
  const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(tokens[0]!)));
  expect(answers.map(({ error }) => error)).toEqual([null, null, null, null, null]);
  expect(new Set(answers.map(({ data }) => data.session!.refresh_token)).size).toBe(1);
});

test('an older refresh token is answered within ten seconds of its use', async () => {
  const { tokens, refresh } = await refreshTokens('older', 2);
  await age(tokens[0]!, 5);
  expect((await refresh(tokens[0]!)).data.session?.refresh_token).toBe(tokens[2]);
});

test('an older one is refused after that, and its successors with it', async () => {
  const { tokens, refresh } = await refreshTokens('replayed', 2);
  await age(tokens[0]!, 11);
  for (const token of [tokens[0]!, tokens[2]!, tokens[1]!]) {
    expect((await refresh(token)).error).toMatchObject({ status: 400, code: 'refresh_token_already_used' });
  }
});

test('an unknown refresh token is refused: refresh_token_not_found', async () => {
  const { error } = await gateway.client().auth.refreshSession({ refresh_token: 'made-up' });
  expect(error).toMatchObject({ status: 400, code: 'refresh_token_not_found' });
});

test('getUser answers the user of the token', async () => {
  const { userId, email, client } = await gateway.signUp('got');
  expect((await client.auth.getUser()).data.user).toMatchObject({ id: userId, email, aud: 'authenticated' });
});

test('getUser refuses a token that somebody else has signed: bad_jwt', async () => {
  const { client } = await gateway.signUp('forged');
  const [header, payload] = (await client.auth.getSession()).data.session!.access_token.split('.');
  const { error } = await gateway.client().auth.getUser(`${header}.${payload}.${'A'.repeat(86)}`);
  expect(error).toMatchObject({ status: 403, code: 'bad_jwt' });
});

test('signing out ends the session here and leaves the others', async () => {
  const { email, client } = await gateway.signUp('leaves');
  const other = gateway.client();
  await other.auth.signInWithPassword({ email, password });
  const { access_token, refresh_token } = (await client.auth.getSession()).data.session!;
  expect((await client.auth.signOut({ scope: 'local' })).error).toBeNull();
  expect((await gateway.client().auth.getUser(access_token)).error).toMatchObject({ name: 'AuthSessionMissingError' });
  const refreshed = await gateway.client().auth.refreshSession({ refresh_token });
  expect(refreshed.error).toMatchObject({ code: 'refresh_token_not_found' });
  expect((await other.auth.getUser()).error).toBeNull();
});

test('without the api key nobody signs in', async () => {
  const answer = await fetch(`${gateway.url}/auth/v1/token?grant_type=password`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(401);
});

test.for([
  ['no JSON', '{', 'bad_json'],
  ['a wrong type', '{"email":1}', 'validation_failed'],
  ['U+0000 in the address', '{"email":"a\\u0000b","password":"x"}', 'validation_failed'],
  ['U+0000 in the password', '{"email":"a","password":"x\\u0000"}', 'validation_failed'],
  ['a password that bcrypt would cut', `{"email":"a","password":"${'x'.repeat(73)}"}`, 'validation_failed'],
] as const)('a body that is no sign-in is refused in the shape of Supabase Auth: %s', async ([, body, code]) => {
  const answer = await signIn(body);
  expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ code: 400, error_code: code })]);
});

test('a body over the limit is 413, by its own account and counted while it comes', async () => {
  const body = JSON.stringify({ email: 'a', password: 'x'.repeat(1024 * 1024) });
  expect((await signIn(body)).status).toBe(413);
  expect((await signIn(new Blob([body]).stream())).status).toBe(413);
});

test('seeding a user twice keeps the id and takes the new password', async () => {
  const email = 'Seeded@gateway.example';
  const first = await createUser(gateway.admin, { email, password: 'old' });
  const second = await createUser(gateway.admin, { email, password: 'new' });
  expect(second).toBe(first);
  expect((await gateway.client().auth.signInWithPassword({ email, password: 'new' })).data.user?.id).toBe(first);
});

function signIn(body: string | ReadableStream): Promise<Response> {
  return fetch(`${gateway.url}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey: publishableKey },
    body,
    duplex: 'half',
  } as RequestInit);
}
