import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { password, publishableKey, type TestGateway } from '../local/gateway/testing/test-gateway.ts';
import { startClientGateway } from '../testing/client-gateway.ts';
import { type ClientTenant, createClientTenant } from '../testing/client-tenant.ts';
import { expectSoon } from '../testing/expect-soon.ts';
import { type FaultyRealtime, startFaultyRealtime } from '../testing/faulty-realtime.ts';
import type { Following } from './follow.ts';
import { createIntentClient, type IntentClient } from './intent-client.ts';

// A refusal of Realtime's is final if the server confirms it, and nowhere else.

let gateway: TestGateway;
let realtime: FaultyRealtime;
let tenant: ClientTenant;
let supabase: SupabaseClient;
let intent: IntentClient;
let following: Following<'budget'>;

beforeAll(async () => {
  gateway = await startClientGateway();
}, 60_000);

afterAll(() => gateway.stop());

const budgetId = 'groceries';

beforeEach(async () => {
  realtime = await startFaultyRealtime(gateway.url);
  tenant = await createClientTenant(gateway);
  await tenant.append(budgetId, { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 100 } });
  supabase = createClient(realtime.url, publishableKey, { auth: { persistSession: false, autoRefreshToken: false } });
  const { error } = await supabase.auth.signInWithPassword({ email: `user-${tenant.tenantId}@gateway.example`, password });
  if (error) throw error;
  intent = createIntentClient(supabase);
});

afterEach(async () => {
  following.close();
  await supabase.realtime.disconnect();
  await realtime.stop();
});

function connection() {
  return following.getSnapshot().connection;
}

async function expectLive(): Promise<void> {
  await expectSoon(() => connection()).toMatchObject({ status: 'live', error: null });
  expect(following.getSnapshot()).toMatchObject({ position: 1, state: { limit: 100 } });
}

function expectAsked(times: { readonly refused: number; readonly refreshes: number }): void {
  expect({ refused: realtime.refused(), refreshes: realtime.refreshes() }).toEqual(times);
}

const unauthorized = 'Unauthorized: You do not have permissions to read from this Channel topic: tenant:x:events';

test('a refusal of a member is a passing fault: it is joined again', async () => {
  realtime.refuseJoins(2, unauthorized);
  following = intent.follow('budget', budgetId);
  await expectSoon(() => connection()).toMatchObject({ status: 'offline', error: { code: 'UNAVAILABLE' } });
  await expectLive();
  expectAsked({ refused: 2, refreshes: 0 });
});

test('a fault in the policies ends no following, and passes with it', async () => {
  const { rows } = await gateway.admin.query<{ expression: string }>(
    `select pg_get_expr(polqual, polrelid) as expression from pg_policy where polname = 'intent_members_listen'`,
  );
  await gateway.admin.query('alter policy intent_members_listen on realtime.messages using (1 / (octet_length(topic) * 0) = 1)');
  try {
    following = intent.follow('budget', budgetId);
    await expectSoon(() => connection()).toMatchObject({
      status: 'offline',
      error: { code: 'UNAVAILABLE', message: expect.stringContaining('Unauthorized') },
    });
  } finally {
    await gateway.admin.query(`alter policy intent_members_listen on realtime.messages using (${rows[0]!.expression})`);
  }
  await expectLive();
});

for (const code of ['InvalidJWTToken', 'InvalidJWTExpiration', 'MalformedJWT', 'JwtSignatureError', 'JwtSignerError']) {
  test(`after ${code} it joins with another token`, async () => {
    realtime.refuseJoins(1, `${code}: of a test`);
    following = intent.follow('budget', budgetId);
    await expectLive();
    expectAsked({ refused: 1, refreshes: 1 });
  });
}

test('a token that is refused again and again is renewed once, since Auth counts how often', async () => {
  realtime.refuseJoins(3, 'JwtSignerError: Failed to generate JWT signer');
  following = intent.follow('budget', budgetId);
  await expectLive();
  expectAsked({ refused: 3, refreshes: 1 });
}, 20_000);

const passing = [
  'InitializingProjectConnection',
  'UnableToConnectToProject',
  'DatabaseLackOfConnections',
  'IncreaseConnectionPool',
  'MissingPartition',
  'QueryCanceled',
  'RealtimeRestarting',
  'ConnectionRateLimitReached',
  'ClientJoinRateLimitReached',
  'NeverHeardOf',
];
for (const code of passing) {
  test(`${code} passes: it is joined again, with the same token`, async () => {
    realtime.refuseJoins(1, `${code}: of a test`);
    following = intent.follow('budget', budgetId);
    await expectSoon(() => connection()).toMatchObject({ status: 'offline', error: { code: 'UNAVAILABLE' } });
    await expectLive();
    expectAsked({ refused: 1, refreshes: 0 });
  });
}

test('a project that has no Realtime is not asked again soon, and the log is read all the same', async () => {
  realtime.refuseJoins(9, 'RealtimeDisabledForTenant: Realtime disabled for this tenant');
  following = intent.follow('budget', budgetId);
  await expectSoon(() => connection().status).toBe('offline');
  await following.waitFor(1);
  await tenant.append(budgetId, { type: 'BudgetLimitChanged', payload: { limit: 200 } });
  await following.waitFor(2);
  expect(following.getSnapshot()).toMatchObject({ state: { limit: 200 }, connection: { status: 'offline' } });
  expect(realtime.refused()).toBe(1);
});

test('a refusal that comes late, as the real one does, is dealt with as one that comes at once', async () => {
  realtime.refuseJoins(1, unauthorized, 5_000);
  following = intent.follow('budget', budgetId);
  await expectSoon(() => connection()).toMatchObject({ status: 'offline', error: { code: 'UNAVAILABLE' } });
  await expectLive();
}, 20_000);

test('what was committed between the join and the beginning of the stream is read when the stream begins', async () => {
  const stream = realtime.holdStream();
  following = intent.follow('budget', budgetId);
  const feed = intent.followTenant({ after: 0 });
  await expectLive();
  await expectSoon(() => feed.getSnapshot()).toMatchObject({ position: 1, connection: { status: 'live' } });
  await tenant.append(budgetId, { type: 'BudgetLimitChanged', payload: { limit: 200 } });
  await expectSoon(() => realtime.lost()).toBe(1);
  stream.begin();
  await expectSoon(() => following.getSnapshot()).toMatchObject({ position: 2, state: { limit: 200 } });
  await expectSoon(() => feed.getSnapshot().position).toBe(2);
  feed.close();
});

test('signing out closes every following and its channel', async () => {
  following = intent.follow('budget', budgetId);
  const feed = intent.followTenant({ after: 0 });
  await expectLive();
  await supabase.auth.signOut();
  for (const { getSnapshot } of [following, feed]) {
    await expectSoon(() => getSnapshot().connection).toMatchObject({ status: 'closed', error: { code: 'SIGNED_OUT' } });
  }
  await expectSoon(() => supabase.getChannels()).toEqual([]);
});
