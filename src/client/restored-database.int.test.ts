import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { createClient } from '@supabase/supabase-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { BudgetEvent } from '../domain/budget/messages.ts';
import { createUser } from '../local/gateway/seed-user.ts';
import { password, publishableKey } from '../local/gateway/testing/test-gateway.ts';
import { type Backup, backUp } from '../testing/backup.ts';
import { collect } from '../testing/collect.ts';
import { type RestartableGateway, startRestartableGateway } from '../testing/restartable-gateway.ts';
import type { Following } from './follow.ts';
import type { FollowingTenant } from './follow-tenant.ts';
import { createIntentClient, type IntentClient } from './intent-client.ts';

// The database goes back to an earlier time while clients have seen a later one: positions mean other events from then on.

let gateway: RestartableGateway;
let tenantId: string;
let backup: Backup;

beforeAll(async () => {
  gateway = await startRestartableGateway();
  tenantId = await createTenant();
  await append({ type: 'BudgetOpened', payload: { name: 'Groceries', limit: 100 } });
  await changeTo(200);
  backup = await backUp(gateway.database);
}, 60_000);

afterAll(async () => {
  await backup.drop();
  await gateway.stop();
});

const budgetId = 'groceries';
const patience = { timeout: 30_000 };
let budget: Following<'budget'>;
let tenantFeed: FollowingTenant;

beforeEach(async () => {
  await backup.restore();
  await changeTo(300, 400);
  const intent = await signIn(tenantId);
  budget = intent.follow('budget', budgetId);
  tenantFeed = intent.followTenant({ after: 0 });
  await tenantFeed.waitFor(4);
  // The restore has cut the gateway's connection too: if it hears of that late, a client that was live is so once more.
  await vi.waitUntil(() => isDeepStrictEqual(shown(), [4, 4, 400, 'live']), patience);
});

afterEach(() => {
  budget.close();
  tenantFeed.close();
});

async function createTenant(): Promise<string> {
  const id = randomUUID();
  const connection = await gateway.admin.connect();
  const userId = await createUser(connection, { email: `${id}@client.example`, password });
  connection.release();
  await gateway.admin.query(`select intent.create_tenant($1, 'Rose')`, [id]);
  await gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [id, userId]);
  return id;
}

async function signIn(tenant: string, reconnectAfterMs = 100): Promise<IntentClient> {
  const supabase = createClient(gateway.url, publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { reconnectAfterMs: () => reconnectAfterMs },
  });
  const { error } = await supabase.auth.signInWithPassword({ email: `${tenant}@client.example`, password });
  expect(error).toBeNull();
  return createIntentClient(supabase);
}

async function append(event: BudgetEvent): Promise<void> {
  const events = JSON.stringify([{ ...event, schemaVersion: 1, metadata: {} }]);
  await gateway.admin.query(`select from intent.append_events($1, 'budget', $2, null, $3)`, [tenantId, budgetId, events]);
}

/** An event each. */
async function changeTo(...limits: number[]): Promise<void> {
  for (const limit of limits) await append({ type: 'BudgetLimitChanged', payload: { limit } });
}

/** Version, position, limit and whether it is live. */
function shown(): unknown[] {
  const { version, position, state, connection } = budget.getSnapshot();
  return [version, position, 'limit' in state && state.limit, connection.status];
}

async function expectAnotherLog(): Promise<void> {
  await expect.poll(() => tenantFeed.getSnapshot().connection, patience).toMatchObject({ status: 'closed', error: { code: 'AHEAD_OF_LOG' } });
}

test('a client that is ahead of the log shows what is there now, and follows that; whoever has the events is told', async () => {
  await backup.restore();
  await expect.poll(shown, patience).toEqual([2, 2, 200, 'live']);
  await expectAnotherLog();
  await changeTo(500);
  await expect.poll(shown, patience).toEqual([3, 3, 500, 'live']);
}, 60_000);

test.each([
  ['as far as the client', [501, 502], [4, 4, 502, 'live']],
  ['further than the client', [501, 502, 503], [5, 5, 503, 'live']],
])('so it is where the log has grown %s before the client came back, and no event of it is given out for one of the old', async (_how, limits, now) => {
  const received = collect(tenantFeed);
  received.catch(() => {});
  await gateway.restart(async () => {
    await backup.restore();
    await changeTo(...limits);
  });
  await expect.poll(shown, patience).toEqual(now);
  await expectAnotherLog();
  await expect(received).rejects.toMatchObject({ code: 'AHEAD_OF_LOG' });
  expect(tenantFeed.getSnapshot().events.map(({ payload }) => (payload as { limit: number }).limit)).toEqual([100, 200, 300, 400]);
}, 60_000);

test('so it is where the client asks for more before its socket is back', async () => {
  tenantFeed.close();
  tenantFeed = (await signIn(tenantId, 3_000)).followTenant({ after: 0 });
  await tenantFeed.waitFor(4);
  await vi.waitUntil(() => tenantFeed.getSnapshot().connection.status === 'live', patience);
  await gateway.restart(async () => {
    await backup.restore();
    await changeTo(501, 502, 503);
  });
  await expect(tenantFeed.waitFor(5)).rejects.toMatchObject({ code: 'AHEAD_OF_LOG' });
  await expectAnotherLog();
}, 60_000);

test('a tenant that is not there any more ends what follows it', async () => {
  const later = await createTenant();
  const following = (await signIn(later)).follow('budget', budgetId);
  await expect.poll(() => following.getSnapshot().connection.status, patience).toBe('live');
  await backup.restore();
  await expect.poll(() => following.getSnapshot().connection, patience).toMatchObject({ status: 'closed', error: { code: 'NOT_A_MEMBER' } });
}, 60_000);
