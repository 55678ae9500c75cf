import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../gateway.ts';
import { newSigningKey, password, publishableKey, startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.stop());

const newEmail = () => `${randomUUID()}@gateway.example`;

test('whoever signs up is signed in, with what was said of oneself', async () => {
  const email = newEmail();
  const client = gateway.client();
  const { data, error } = await client.auth.signUp({ email: email.toUpperCase(), password, options: { data: { name: 'Änne' } } });
  expect(error).toBeNull();
  expect(data.session?.user).toMatchObject({ email, user_metadata: { name: 'Änne' }, app_metadata: { provider: 'email' } });
  expect((await client.auth.getUser()).data.user?.id).toBe(data.user!.id);
  expect((await gateway.client().auth.signInWithPassword({ email, password })).error).toBeNull();
});

test('a second account for an address is refused, and changes nothing of the first', async () => {
  const email = newEmail();
  await gateway.client().auth.signUp({ email, password });
  const { error } = await gateway.client().auth.signUp({ email, password: 'another password' });
  expect(error).toMatchObject({ status: 422, code: 'user_already_exists' });
  expect((await gateway.client().auth.signInWithPassword({ email, password })).error).toBeNull();
});

test.for([
  ['a short password', { email: 'a@gateway.example', password: '12345' }, 422, 'weak_password'],
  ['a password that bcrypt would cut', { email: 'a@gateway.example', password: 'x'.repeat(73) }, 400, 'validation_failed'],
  ['no password', { email: 'a@gateway.example' }, 400, 'validation_failed'],
  ['no address', { password }, 400, 'validation_failed'],
  ['what is no address', { email: 'a', password }, 400, 'validation_failed'],
  ['U+0000 in the address', { email: 'a\0@gateway.example', password }, 400, 'validation_failed'],
  ['U+0000 in the password', { email: 'a@gateway.example', password: 'xxxxxx\0' }, 400, 'validation_failed'],
  ['U+0000 in the data', { email: 'a@gateway.example', password, data: { a: ['\0'] } }, 400, 'validation_failed'],
  ['half a character in the data', { email: 'a@gateway.example', password, data: { '\ud800': 1 } }, 400, 'validation_failed'],
  ['nobody', {}, 422, 'anonymous_provider_disabled'],
] as const)('a sign-up with %s is refused', async ([, body, status, code]) => {
  expect(await send('POST', 'signup', body)).toMatchObject({ status, body: { code } });
});

test('a new password holds from then on, ends the other sessions and not this one', async () => {
  const { email, client } = await gateway.signUp(randomUUID());
  const other = gateway.client();
  await other.auth.signInWithPassword({ email, password });
  expect((await client.auth.updateUser({ password: 'a new password' })).error).toBeNull();
  expect((await client.auth.getUser()).error).toBeNull();
  expect((await other.auth.refreshSession()).error).toMatchObject({ code: 'refresh_token_not_found' });
  expect((await gateway.client().auth.signInWithPassword({ email, password })).error).toMatchObject({ code: 'invalid_credentials' });
  expect((await gateway.client().auth.signInWithPassword({ email, password: 'a new password' })).error).toBeNull();
});

test('data is merged, and what is null goes; it is in the next token', async () => {
  const { client } = await gateway.signUp(randomUUID());
  await client.auth.updateUser({ data: { name: 'Änne', town: 'Bern' } });
  const { data } = await client.auth.updateUser({ data: { town: null, age: 1e21 } });
  expect(data.user?.user_metadata).toEqual({ name: 'Änne', age: 1e21 });
  const token = (await client.auth.refreshSession()).data.session!.access_token;
  expect((await gateway.tokens.verify(token))['user_metadata']).toEqual({ name: 'Änne', age: 1e21 });
});

test.for([
  ['the same password', { password }, 422, 'same_password'],
  ['a short password', { password: '12345' }, 422, 'weak_password'],
  ['app_metadata', { app_metadata: { role: 'admin' } }, 403, 'not_admin'],
  ['another address', { email: 'other@gateway.example' }, 422, 'validation_failed'],
  ['U+0000 in the data', { data: { '\0': 1 } }, 400, 'validation_failed'],
] as const)('a change of the user is refused: %s', async ([, body, status, code]) => {
  const { client } = await gateway.signUp(randomUUID());
  const token = (await client.auth.getSession()).data.session!.access_token;
  expect(await send('PUT', 'user', body, { authorization: `Bearer ${token}` })).toMatchObject({ status, body: { code } });
});

test('without a token nothing is changed', async () => {
  expect(await send('PUT', 'user', { data: {} })).toMatchObject({ status: 401, body: { code: 'no_authorization' } });
});

test('a ban refuses sign-in, refresh and the user, and its end lets in again', async () => {
  const { userId, email, client } = await gateway.signUp(randomUUID());
  const ban = (until: string) => gateway.admin.query(`update auth.users set banned_until = ${until} where id = $1`, [userId]);
  await ban(`now() + interval '1 hour'`);
  expect((await gateway.client().auth.signInWithPassword({ email, password })).error).toMatchObject({ status: 400, code: 'user_banned' });
  expect((await client.auth.getUser()).error).toMatchObject({ status: 403, code: 'user_banned' });
  expect((await client.auth.refreshSession()).error).toMatchObject({ status: 400, code: 'user_banned' });
  await ban(`now() - interval '1 second'`);
  expect((await gateway.client().auth.signInWithPassword({ email, password })).error).toBeNull();
});

test('a deleted user is not found, and the token is good for others until it ends', async () => {
  const { userId, client } = await gateway.signUp(randomUUID());
  const { access_token, refresh_token } = (await client.auth.getSession()).data.session!;
  await gateway.admin.query('delete from auth.users where id = $1', [userId]);
  expect(await send('GET', 'user', undefined, { authorization: `Bearer ${access_token}` })).toMatchObject({ status: 403, body: { code: 'user_not_found' } });
  expect((await gateway.client().auth.refreshSession({ refresh_token })).error).toMatchObject({ code: 'refresh_token_not_found' });
  expect((await gateway.tokens.verify(access_token)).sub).toBe(userId);
});

test.each([
  ['global', [true, true]],
  ['others', [false, true]],
  ['local', [true, false]],
] as const)('signing out with the scope %s', async (scope, ended) => {
  const { email, client } = await gateway.signUp(randomUUID());
  const other = gateway.client();
  await other.auth.signInWithPassword({ email, password });
  const tokens = await Promise.all([client, other].map(async ({ auth }) => (await auth.getSession()).data.session!.refresh_token));
  expect((await client.auth.signOut({ scope })).error).toBeNull();
  const refreshed = await Promise.all(tokens.map((refresh_token) => gateway.client().auth.refreshSession({ refresh_token })));
  expect(refreshed.map(({ error }) => error !== null)).toEqual(ended);
});

test('settings and health are told', async () => {
  expect(await send('GET', 'settings')).toMatchObject({ status: 200, body: { disable_signup: false, mailer_autoconfirm: true, external: { email: true } } });
  expect(await send('GET', 'health')).toMatchObject({ status: 200, body: { name: 'GoTrue' } });
});

test.for([
  [undefined, { code: 400, error_code: 'invalid_credentials', msg: 'unsupported_grant_type' }],
  ['2023-12-31', { code: 400, error_code: 'invalid_credentials', msg: 'unsupported_grant_type' }],
  ['nonsense', { code: 400, error_code: 'invalid_credentials', msg: 'unsupported_grant_type' }],
  ['2024-01-01', { code: 'invalid_credentials', message: 'unsupported_grant_type' }],
  ['2026-01-01', { code: 'invalid_credentials', message: 'unsupported_grant_type' }],
] as const)('an error has the shape of the version that is asked for: %s', async ([version, expected]) => {
  const response = await fetch(`${gateway.url}/auth/v1/token`, {
    method: 'POST',
    headers: { apikey: publishableKey, ...(version !== undefined && { 'x-supabase-api-version': version }) },
  });
  expect(await response.json()).toEqual(expected);
  expect(response.headers.get('x-sb-error-code')).toBe('invalid_credentials');
  expect(response.headers.get('x-supabase-api-version')).toBe('message' in expected ? '2024-01-01' : null);
});

test('with the limit for each address the thirty-first sign-in or refresh is 429, and nobody is told when to come again', async () => {
  const limited = await startGateway({
    port: 0,
    authDatabaseUrl: gateway.authDatabaseUrl,
    realtimeDatabaseUrl: gateway.realtimeDatabaseUrl,
    signingKey: await newSigningKey(),
    publishableKey,
    postgrestUrl: gateway.url,
    functionUrl: gateway.url,
    allowedOrigins: [],
    limitAddresses: true,
    log: () => {},
  });
  const ask = (grant: string) => fetch(`${limited.url}/auth/v1/token?grant_type=${grant}`, { method: 'POST', headers: { apikey: publishableKey }, body: '{}' });
  const grants = Array.from({ length: 34 }, (_, n) => (n % 2 === 0 ? 'password' : 'refresh_token'));
  const answers = await Promise.all(grants.map(ask));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(30);
  expect(refused[0]!.headers.get('retry-after')).toBeNull();
  expect(await refused[0]!.json()).toMatchObject({ error_code: 'over_request_rate_limit' });
  await limited.stop();
});

async function send(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/auth/v1/${path}`, {
    method,
    headers: { apikey: publishableKey, 'x-supabase-api-version': '2024-01-01', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
