import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeProtectedHeader } from 'jose';
import type { FollowingTenant } from '../../client/follow-tenant.ts';
import { listenTo } from '../../local/gateway/testing/listen-to.ts';
import { newSigningKey, publishableKey } from '../../local/gateway/testing/test-gateway.ts';
import { createTokens, importSigningKeys } from '../../local/gateway/tokens.ts';
import { type ClientTenant, createClientTenant } from '../client-tenant.ts';
import { expectSoon } from '../expect-soon.ts';
import { type GatewayStack, startGatewayStack } from './gateway-stack.ts';

// A rotation as Supabase does it: a standby key is published, later it signs, and later still the one before is withdrawn.
let stack: GatewayStack;
let tenant: ClientTenant;
beforeAll(async () => {
  stack = await startGatewayStack();
  tenant = await createClientTenant(stack.gateway);
}, 60_000);
afterAll(() => stack.stop());

const currentToken = async () => (await tenant.client.auth.getSession()).data.session!.access_token;

function request(token: string, path: string, body?: object): Promise<Response> {
  const headers = { apikey: publishableKey, Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  return fetch(`${stack.gateway.url}${path}`, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Through the Edge Function. */
const send = (token: string) => {
  const commandId = randomUUID();
  return request(token, '/functions/v1/command', { commandId, type: 'OpenBudget', aggregateId: `b-${commandId}`, payload: { name: 'Groceries', limit: 1 } });
};
/** Through PostgREST, which is not asked twice for the same by any cache. */
const read = (token: string) => request(token, '/rest/v1/rpc/my_tenants', {});
const askAuth = (token: string) => request(token, '/auth/v1/user');

/** All parts are asked again and again with these tokens, and each event is appended meanwhile. Returns what was not as it should be. */
function startLoad(tokens: readonly string[]) {
  const refused: string[] = [];
  let asked = 0;
  let appended = 0;
  let isOver = false;
  const asking = tokens.flatMap((token) => [send, read, askAuth].map(async (ask) => {
    while (!isOver) {
      const response = await ask(token);
      if (response.status >= 300) refused.push(`${response.status} of ${response.url}: ${await response.text()}`);
      asked += 1;
    }
  }));
  const appending = (async () => {
    while (!isOver) {
      await tenant.append('groceries', { type: 'BudgetLimitChanged', payload: { limit: appended } });
      appended += 1;
    }
  })();
  return {
    asked: () => asked,
    async end() {
      isOver = true;
      await Promise.all([...asking, appending]);
      return { refused, appended };
    },
  };
}

/** PostgREST takes its keys from the database's settings, here and on Supabase. */
async function usePostgrestKeys(keys: readonly object[]): Promise<void> {
  const { admin } = stack.gateway;
  const { rows } = await admin.query<{ statement: string }>(
    `select format('alter role authenticator in database %I set pgrst.jwt_secret = %L', current_database(), $1::text) as statement`, [JSON.stringify({ keys })]);
  await admin.query(rows[0]!.statement);
  await admin.query(`notify pgrst, 'reload config'`);
}

test('a rotation of the signing keys under load refuses no good token, breaks no socket and loses no event; the withdrawn key then opens nothing anew', async () => {
  const { gateway } = stack;
  const { signingKey: old } = gateway;
  const next = await newSigningKey('the-next-key');
  const [{ publicJwk: oldPublic }, nextKeys] = [await importSigningKeys(old), await importSigningKeys(next)];
  const oldTokens = [await currentToken(), await gateway.tokens.sign(await gateway.tokens.verify(await currentToken()))];
  const events: FollowingTenant = tenant.followTenant({ after: 0 });
  await tenant.append('groceries', { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 1 } });
  await events.waitFor(1);
  await expectSoon(() => events.getSnapshot().connection.status).toBe('live');
  const statuses: string[] = [];
  events.subscribe(() => statuses.push(events.getSnapshot().connection.status));
  // A socket that keeps its old token.
  const keepsOld = gateway.client();
  await keepsOld.realtime.setAuth(oldTokens[0]);
  const room = await listenTo(keepsOld, `tenant:${tenant.tenantId}:events`);

  // The standby key: everybody who verifies knows it before it signs.
  await gateway.rotateKeys(old, [nextKeys.publicJwk]);
  await usePostgrestKeys([oldPublic, nextKeys.publicJwk]);
  const early = await createTokens(nextKeys, gateway.tokens.issuer).sign(await gateway.tokens.verify(await currentToken()));
  await expectSoon(async () => (await read(early)).status).toBe(200);
  expect((await send(early)).status).toBeLessThan(300);

  const load = startLoad([...oldTokens, early]);
  const during = async (rounds: number) => {
    const until = load.asked() + rounds;
    await expect.poll(load.asked, { timeout: 30_000 }).toBeGreaterThan(until);
  };
  await during(60);
  await gateway.rotateKeys(next, [oldPublic]);
  await during(60);
  await tenant.client.auth.refreshSession();
  const renewed = await currentToken();
  expect(decodeProtectedHeader(renewed).kid).toBe('the-next-key');
  // What supabase-js does with a new token by itself.
  await tenant.client.realtime.setAuth(renewed);
  const after = startLoad([renewed]);
  await during(60);
  const { appended: first, refused } = await load.end();
  const { appended: second, refused: refusedNew } = await after.end();
  expect([...refused, ...refusedNew]).toEqual([]);
  await events.waitFor(1 + first + second, { timeoutMs: 20_000 });
  expect(new Set(statuses)).toEqual(new Set(['live']));
  expect(room.waiting()).toBeGreaterThan(0);

  // The old key is withdrawn.
  await gateway.rotateKeys(next, []);
  await usePostgrestKeys([nextKeys.publicJwk]);
  const [withdrawn, claims] = [createTokens(await importSigningKeys(old), gateway.tokens.issuer), await gateway.tokens.verify(renewed)];
  // PostgREST remembers each token that it has verified, so each is a new one.
  const signWithdrawn = () => withdrawn.sign({ ...claims, jti: randomUUID() });
  await expectSoon(async () => (await read(await signWithdrawn())).status).toBe(401);
  const unseen = await signWithdrawn();
  expect((await askAuth(unseen)).status).toBe(403);
  const stranger = gateway.client();
  await stranger.realtime.setAuth(unseen);
  await expect(listenTo(stranger, `tenant:${tenant.tenantId}:events`)).rejects.toThrow('JwtSignerError');
  for (const ask of [send, read, askAuth]) expect((await ask(renewed)).status).toBeLessThan(300);
  const before = room.waiting();
  await tenant.append('groceries', { type: 'BudgetLimitChanged', payload: { limit: 5 } });
  await events.waitFor(2 + first + second);
  // Until the token ends, as SECURITY.md says.
  await expectSoon(room.waiting).toBeGreaterThan(before);
  events.close();
}, 120_000);
