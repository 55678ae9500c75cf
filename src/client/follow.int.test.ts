import type { SupabaseClient } from '@supabase/supabase-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { noAmounts, withAmount } from '../domain/budget/amounts.ts';
import { budgetSlice, type BudgetState } from '../domain/budget/budget.ts';
import type { BudgetEvent } from '../domain/budget/messages.ts';
import type { TestGateway } from '../local/gateway/testing/test-gateway.ts';
import { startClientGateway } from '../testing/client-gateway.ts';
import { type ClientTenant, createClientTenant } from '../testing/client-tenant.ts';
import { expectSoon } from '../testing/expect-soon.ts';
import type { Connection } from './connection.ts';
import type { Followed, Following } from './follow.ts';
import { createIntentClient } from './intent-client.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startClientGateway();
}, 60_000);

afterAll(() => gateway.stop());

const budgetId = 'groceries';
const catchUpEveryMs = 30_000;

let tenant: ClientTenant;
let client: SupabaseClient;
let following: Following<'budget'>;
let seen: Followed<'budget'>[];

beforeEach(async () => {
  tenant = await createClientTenant(gateway);
  ({ client } = tenant);
  seen = [];
});

afterEach(() => {
  vi.useRealTimers();
  following.close();
});

/** Collects every snapshot of a state that is loaded. */
function follow(): void {
  following = tenant.follow('budget', budgetId);
  following.subscribe(() => {
    const snapshot = following.getSnapshot();
    if (snapshot.position !== null && snapshot.version !== seen.at(-1)?.version) seen.push(snapshot);
  });
}

const opened: BudgetEvent = { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 100 } };
const changedTo = (limit: number): BudgetEvent => ({ type: 'BudgetLimitChanged', payload: { limit } });
const append = (event: BudgetEvent) => tenant.append(budgetId, event);

/** The last change that was reported: version, position and limit. */
function latest(): unknown[] {
  const { version, position, state } = seen.at(-1)!;
  return [version, position, 'limit' in state ? state.limit : undefined];
}

function connection(): Connection {
  return following.getSnapshot().connection;
}

async function live(): Promise<void> {
  await expectSoon(() => connection().status).toBe('live');
}

test('an aggregate without events is followed from its first state on', async () => {
  follow();
  expect(following.getSnapshot()).toEqual({
    state: { status: 'not_open' },
    confirmedState: { status: 'not_open' },
    pending: [],
    version: 0,
    position: null,
    connection: { status: 'connecting', error: null },
  });
  await expectSoon(() => seen).toMatchObject([{ state: { status: 'not_open' }, version: 0, position: 0 }]);
  await append(opened);
  await expectSoon(latest).toEqual([1, 1, 100]);
});

test('what came before is there at once, and what comes is applied in order', async () => {
  await append(opened);
  await append(changedTo(200));
  follow();
  await expectSoon(() => seen.length).toBe(1);
  expect(latest()).toEqual([2, 2, 200]);
  for (let limit = 201; limit <= 220; limit += 1) await append(changedTo(limit));
  await expectSoon(latest).toEqual([22, 22, 220]);
  expect(seen.map(({ version }) => version)).toEqual(Array.from({ length: 21 }, (_, index) => index + 2));
});

test("another aggregate's events make no new snapshot, and a snapshot stays the same object until something changes", async () => {
  await append(opened);
  follow();
  await live();
  const before = following.getSnapshot();
  await tenant.append('holidays', opened);
  await following.waitFor(2);
  expect(following.getSnapshot()).toBe(before);
  await append(changedTo(200));
  await expectSoon(latest).toEqual([2, 3, 200]);
});

test('a lost message is a hole that the next one shows, and the feed fills', async () => {
  await append(opened);
  follow();
  await live();
  await tenant.appendUnheard(budgetId, changedTo(200));
  await tenant.append('holidays', opened);
  await expectSoon(latest).toEqual([2, 3, 200]);
});

test('a lost message at the end of the stream is found by the slow timer', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  await append(opened);
  follow();
  await vi.waitFor(() => expect(connection().status).toBe('live'), { timeout: 10_000 });
  await tenant.appendUnheard(budgetId, changedTo(200));
  vi.advanceTimersByTime(catchUpEveryMs);
  vi.useRealTimers();
  await expectSoon(latest).toEqual([2, 2, 200]);
});

test('whoever waits for a position does not wait for a message that was lost', async () => {
  follow();
  await live();
  await tenant.appendUnheard(budgetId, opened);
  await following.waitFor(1);
  expect(following.getSnapshot()).toMatchObject({ version: 1, position: 1 });
  await expect(following.waitFor(2, { timeoutMs: 100 })).rejects.toMatchObject({ name: 'FollowError', code: 'TIMED_OUT' });
});

test('a channel that is closed is offline, is replaced by a new one, and what it missed is caught up', async () => {
  await append(opened);
  follow();
  await live();
  await client.getChannels()[0]!.unsubscribe();
  expect(connection()).toMatchObject({ status: 'offline', error: { code: 'UNAVAILABLE' } });
  await append(changedTo(200));
  await expectSoon(latest).toEqual([2, 2, 200]);
  await append(changedTo(300));
  await expectSoon(latest).toEqual([3, 3, 300]);
  expect(connection()).toEqual({ status: 'live', error: null });
});

test('a snapshot and the events after it give the state', async () => {
  await append(opened);
  const state: BudgetState = { status: 'open', name: 'Groceries', limit: 100, reserved: noAmounts, spent: withAmount('order-1', 7, noAmounts) };
  await gateway.admin.query(`select intent.save_snapshot($1, 'budget', $2, 1, $3, $4)`, [
    tenant.tenantId,
    budgetId,
    budgetSlice.stateVersion,
    state,
  ]);
  await append(changedTo(200));
  follow();
  await expectSoon(() => seen.at(-1)?.state).toEqual({ ...state, limit: 200 });
});

test('several aggregates of a client share one channel, and the last one to leave closes it', async () => {
  follow();
  const second = tenant.follow('budget', 'holidays');
  await expectSoon(() => second.getSnapshot().connection.status).toBe('live');
  await tenant.append('holidays', opened);
  await expectSoon(() => second.getSnapshot().version).toBe(1);
  expect(client.getChannels()).toHaveLength(1);
  second.close();
  expect(client.getChannels()).toHaveLength(1);
  following.close();
  await expectSoon(() => client.getChannels()).toEqual([]);
});

test('an aggregate can be followed again at once after it was left', async () => {
  await append(opened);
  follow();
  await live();
  following.close();
  follow();
  await live();
  await append(changedTo(200));
  await expectSoon(latest).toEqual([2, 2, 200]);
});

test('iterated, it gives the loaded state, then the newest one, and ends when it is closed', async () => {
  await append(opened);
  follow();
  const limits: unknown[] = [];
  for await (const { state, position, connection: { status } } of following) {
    if (status !== 'live') continue;
    limits.push('limit' in state && state.limit);
    if (position === 4) following.close();
    else for (let limit = 201; limit <= 203; limit += 1) await append(changedTo(limit));
    await following.waitFor(4).catch(() => {});
  }
  expect(limits).toEqual([100, 203]);
  expect(following.getSnapshot()).toMatchObject({ version: 4, connection: { status: 'closed', error: null } });
});

test('the state at a version or at a time is folded from the log', async () => {
  const { stateAt } = createIntentClient(client);
  await append(opened);
  await append(changedTo(200));
  const { rows } = await gateway.admin.query<{ recorded_at: Date }>(
    `select clock_timestamp() as recorded_at from intent.events where tenant_id = $1 limit 1`,
    [tenant.tenantId],
  );
  await append(changedTo(300));
  follow();
  expect(await stateAt('budget', budgetId, { version: 1 })).toMatchObject({ state: { limit: 100 }, version: 1 });
  expect(await stateAt('budget', budgetId, { time: rows[0]!.recorded_at })).toMatchObject({ state: { limit: 200 }, version: 2 });
  expect(await stateAt('budget', budgetId, { version: 99 })).toMatchObject({ state: { limit: 300 }, version: 3 });
  expect(await stateAt('budget', budgetId, { version: 0 })).toEqual({ state: { status: 'not_open' }, version: 0 });
});

test('a view shows what was waited for', async () => {
  const intent = createIntentClient(client);
  follow();
  await append(opened);
  await intent.waitFor(1);
  const { data } = await client.schema('api').from('budgets').select('budget_id, spending_limit');
  expect(data).toEqual([{ budget_id: budgetId, spending_limit: 100 }]);
  await expect(intent.waitFor(2, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'TIMED_OUT' });
});
