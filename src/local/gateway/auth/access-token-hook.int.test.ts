import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createUser } from '../seed-user.ts';
import { password, publishableKey, startTestGateway } from '../testing/test-gateway.ts';
import type { TestGateway } from '../testing/test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.stop());

/** Replaces the project's hook in this test's database. */
async function defineHook(body: string): Promise<void> {
  await gateway.admin.query(`
    create schema if not exists intent;
    grant usage on schema intent to supabase_auth_admin;
    drop function if exists intent.custom_access_token_hook(jsonb);
    create function intent.custom_access_token_hook(event jsonb) returns jsonb language sql stable as $$ ${body} $$;
  `);
}

test('the first token after a start has its audience in a list, as there, and is as good as the later ones', async () => {
  await defineHook(`select jsonb_build_object('claims', event -> 'claims')`);
  const first = await gateway.signUp('first');
  const audience = async ({ client }: typeof first) => (await gateway.tokens.verify((await client.auth.getSession()).data.session!.access_token))['aud'];
  expect(await audience(first)).toEqual(['authenticated']);
  expect((await first.client.auth.getUser()).data.user?.aud).toBe('authenticated');
  expect(await audience(await gateway.signUp('second'))).toBe('authenticated');
});

test('the hook sees the user, the claims and the method, and what it answers is signed', async () => {
  await defineHook(`
    select jsonb_build_object('claims', event -> 'claims' || jsonb_build_object(
      'hooked_user', event -> 'user_id', 'hooked_method', event -> 'authentication_method'
    ))
  `);
  const { userId, client } = await gateway.signUp('hooked');
  const signedIn = await gateway.tokens.verify((await client.auth.getSession()).data.session!.access_token);
  const refreshed = await gateway.tokens.verify((await client.auth.refreshSession()).data.session!.access_token);
  expect(signedIn).toMatchObject({ sub: userId, hooked_user: userId, hooked_method: 'password' });
  expect(refreshed).toMatchObject({ sub: userId, hooked_user: userId, hooked_method: 'token_refresh' });
});

test('a hook that refuses keeps the user out, with its message', async () => {
  const { email } = await gateway.signUp('refused');
  await defineHook(`select '{"error": {"http_code": 403, "message": "not today"}}'::jsonb`);
  const { error } = await gateway.client().auth.signInWithPassword({ email, password });
  expect(error).toMatchObject({ status: 403, message: 'not today' });
});

test.for([
  [403, { error: { http_code: 403, message: 'not today' } }, { status: 403, code: 'unknown', message: 'not today' }],
  [500, { error: { message: 'broken' } }, { status: 500, code: 'unexpected_failure', message: 'broken' }],
  [500, {}, { status: 500, message: 'output claims field is missing' }],
] as const)('what it refuses with comes through: %s', async ([, answer, expected]) => {
  const email = `refused-${randomUUID()}@gateway.example`;
  await createUser(gateway.admin, { email, password });
  await defineHook(`select '${JSON.stringify(answer)}'::jsonb`);
  const response = await fetch(`${gateway.url}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey: publishableKey, 'x-supabase-api-version': '2024-01-01' },
    body: JSON.stringify({ email, password }),
  });
  const { status, ...body } = { status: response.status, ...((await response.json()) as object) };
  expect({ status, ...body }).toMatchObject(expected);
});

test('a hook that takes more than two seconds fails the sign-in, and one that takes less does not', async () => {
  const email = `slow-${randomUUID()}@gateway.example`;
  await createUser(gateway.admin, { email, password });
  const signIn = async (seconds: number) => {
    await defineHook(`select jsonb_build_object('claims', event -> 'claims') from pg_sleep(${seconds})`);
    return (await fetch(`${gateway.url}/auth/v1/token?grant_type=password`, {
      method: 'POST',
      headers: { apikey: publishableKey },
      body: JSON.stringify({ email, password }),
    })).status;
  };
  expect(await signIn(1)).toBe(200);
  expect(await signIn(3)).toBe(500);
});

test('the event tells when, from where and for what', async () => {
  await defineHook(`select jsonb_build_object('claims', event -> 'claims' || jsonb_build_object('hooked', event -> 'metadata'))`);
  const { client } = await gateway.signUp('told');
  expect((await gateway.tokens.verify((await client.auth.getSession()).data.session!.access_token))['hooked']).toEqual({
    uuid: expect.any(String),
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    name: 'customize-access-token',
    ip_address: '127.0.0.1',
  });
});

test('a hook that drops a required claim fails the sign-in, and the log says which', async () => {
  await defineHook(`select jsonb_build_object('claims', event -> 'claims')`);
  const { email } = await gateway.signUp('dropped');
  await defineHook(`select jsonb_build_object('claims', (event -> 'claims') - 'session_id')`);
  const { error } = await gateway.client().auth.signInWithPassword({ email, password });
  expect(error).toMatchObject({ status: 500 });
  expect(gateway.log.join('\n')).toContain('dropped required claims: session_id');
});

test('a refresh whose hook fails leaves the refresh token good for another try', async () => {
  await defineHook(`select jsonb_build_object('claims', event -> 'claims')`);
  const { client } = await gateway.signUp('again');
  const { refresh_token } = (await client.auth.getSession()).data.session!;
  // Without supabase-js, which would go on trying.
  const refresh = () =>
    fetch(`${gateway.url}/auth/v1/token?grant_type=refresh_token`, {
      method: 'POST',
      headers: { apikey: publishableKey },
      body: JSON.stringify({ refresh_token }),
    });
  await defineHook(`select jsonb_build_object('claims', 1 / (random() * 0)::int)`);
  expect((await refresh()).status).toBe(500);
  await defineHook(`select jsonb_build_object('claims', event -> 'claims')`);
  expect((await refresh()).status).toBe(200);
});
