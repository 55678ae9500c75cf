import { randomUUID } from 'node:crypto';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { password, publishableKey, type TestGateway } from '../local/gateway/testing/test-gateway.ts';
import { type ClientTenant, createClientTenant } from '../testing/client-tenant.ts';
import { type GatewayStack, startGatewayStack } from '../testing/edge/gateway-stack.ts';
import { expectSoon } from '../testing/expect-soon.ts';
import { type FaultyRealtime, startFaultyRealtime } from '../testing/faulty-realtime.ts';
import { createIntentClient, type IntentClient } from './intent-client.ts';

// supabase-js goes by this machine's clock. If that is hours behind it takes an ended token for a good one.

const storageKey = 'session-of-a-test';

let stack: GatewayStack;
let gateway: TestGateway;
let proxy: FaultyRealtime;
let tenant: ClientTenant;
let stored: Map<string, string>;
let supabase: SupabaseClient;
let intent: IntentClient;

beforeAll(async () => {
  stack = await startGatewayStack();
  ({ gateway } = stack);
}, 60_000);

afterAll(() => stack.stop());

const budgetId = 'groceries';

beforeEach(async () => {
  proxy = await startFaultyRealtime(gateway.url);
  tenant = await createClientTenant(gateway);
  await tenant.append(budgetId, { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 100 } });
  stored = new Map();
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  };
  supabase = createClient(proxy.url, publishableKey, { auth: { storage, storageKey, autoRefreshToken: false } });
  const { error } = await supabase.auth.signInWithPassword({ email: `user-${tenant.tenantId}@gateway.example`, password });
  if (error) throw error;
  intent = createIntentClient(supabase);
});

afterEach(async () => {
  await supabase.realtime.disconnect();
  await proxy.stop();
});

/** The session's token has ended `sinceSeconds` ago (or ends later), and supabase-js believes that it ends `inSeconds`. */
async function pretend({ sinceSeconds, inSeconds }: { sinceSeconds: number; inSeconds: number }): Promise<void> {
  const session = JSON.parse(stored.get(storageKey)!) as { access_token: string };
  const now = Math.floor(Date.now() / 1000);
  const exp = now - sinceSeconds;
  const accessToken = await gateway.tokens.sign({ ...decodeJwt(session.access_token), iat: exp - 600, exp });
  stored.set(storageKey, JSON.stringify({ ...session, access_token: accessToken, expires_at: now + inSeconds }));
}

const clockIsBehind = { sinceSeconds: 7_200, inSeconds: 600 };

const openBudget = () => ({ aggregateId: `budget-${randomUUID()}`, payload: { name: 'Garden', limit: 5 } });

test('send gets a new token, once, and repeats the command', async () => {
  await pretend(clockIsBehind);
  expect(await intent.send('OpenBudget', openBudget(), { wait: 0 })).toMatchObject({ status: 'pending', duplicate: false });
  expect(proxy.refreshes()).toBe(1);
});

test('what several ask at a time takes one new token', async () => {
  await pretend(clockIsBehind);
  const sent = Array.from({ length: 4 }, () => intent.send('OpenBudget', openBudget(), { wait: 0 }));
  const read = Array.from({ length: 4 }, () => intent.stateAt('budget', budgetId, { version: 1 }));
  expect(await Promise.all(sent)).toMatchObject(Array.from({ length: 4 }, () => ({ status: 'pending' })));
  expect(await Promise.all(read)).toMatchObject(Array.from({ length: 4 }, () => ({ version: 1, state: { limit: 100 } })));
  expect(proxy.refreshes()).toBe(1);
});

const reads: Readonly<Record<string, () => Promise<unknown>>> = {
  stateAt: () => intent.stateAt('budget', budgetId, { version: 1 }),
  outcome: () => intent.outcome(randomUUID()),
  waitFor: () => intent.waitFor(1, { timeoutMs: 5_000 }),
};
for (const [name, read] of Object.entries(reads)) {
  test(`${name} gets a new token, once`, async () => {
    await pretend(clockIsBehind);
    await read();
    expect(proxy.refreshes()).toBe(1);
  });
}

test('follow and followTenant join with a new token, and are live', async () => {
  await pretend(clockIsBehind);
  const followings = [intent.follow('budget', budgetId), intent.followTenant({ after: 0 })];
  for (const { getSnapshot } of followings) {
    await expectSoon(() => getSnapshot()).toMatchObject({ position: 1, connection: { status: 'live', error: null } });
  }
  expect(proxy.refreshes()).toBe(1);
  for (const { close } of followings) close();
});

test('a channel whose token ends before supabase-js believes it is joined again with a new one', async () => {
  await pretend({ sinceSeconds: -3, inSeconds: 600 });
  const following = intent.follow('budget', budgetId);
  await expectSoon(() => following.getSnapshot().connection.status).toBe('live');
  await expectSoon(() => following.getSnapshot().connection.status).toBe('offline');
  await expectSoon(() => following.getSnapshot().connection).toMatchObject({ status: 'live', error: null });
  expect(proxy.refreshes()).toBe(1);
  await tenant.append(budgetId, { type: 'BudgetLimitChanged', payload: { limit: 200 } });
  await expectSoon(() => following.getSnapshot()).toMatchObject({ position: 2, state: { limit: 200 } });
  following.close();
}, 40_000);

test('a session that cannot be refreshed any more is said to be signed out', async () => {
  await pretend(clockIsBehind);
  const session = JSON.parse(stored.get(storageKey)!) as object;
  stored.set(storageKey, JSON.stringify({ ...session, refresh_token: 'never-given' }));
  const following = intent.follow('budget', budgetId);
  await expectSoon(() => following.getSnapshot().connection).toMatchObject({ status: 'closed', error: { code: 'SIGNED_OUT' } });
});

test('where the clock is ahead supabase-js refreshes by itself, and everything works', async () => {
  await pretend({ sinceSeconds: -600, inSeconds: -7_200 });
  expect(await intent.send('OpenBudget', openBudget(), { wait: 0 })).toMatchObject({ status: 'pending' });
  const following = intent.follow('budget', budgetId);
  await expectSoon(() => following.getSnapshot()).toMatchObject({ position: 1, connection: { status: 'live' } });
  following.close();
});
