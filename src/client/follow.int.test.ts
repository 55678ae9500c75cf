import { randomUUID } from 'node:crypto';
import type { SupabaseClient } from '@supabase/supabase-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { budgetSlice, type BudgetState } from '../domain/budget/budget.ts';
import type { BudgetEvent } from '../domain/budget/messages.ts';
import type { TestGateway } from '../local/gateway/testing/test-gateway.ts';
import { startClientGateway } from '../testing/client-gateway.ts';
import type { FollowError } from './errors.ts';
import { createFollow, type Follow, type Followed, type Following } from './follow.ts';
import { createTenantChannels } from './tenant-channels.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startClientGateway();
}, 60_000);

afterAll(() => gateway.stop());

const budgetId = 'groceries';
const catchUpEveryMs = 30_000;

let tenantId: string;
let userId: string;
let client: SupabaseClient;
let follow: Follow;
let seen: Followed<BudgetState>[];
let errors: FollowError[];
let following: Following | undefined;

beforeEach(async () => {
  tenantId = randomUUID();
  ({ userId, client } = await gateway.signUp(`user-${tenantId}`));
  await gateway.admin.query(`select intent.create_tenant($1, 'Rose')`, [tenantId]);
  await gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [tenantId, userId]);
  await client.auth.refreshSession();
  follow = createFollow(client);
  seen = [];
  errors = [];
});

afterEach(() => {
  vi.useRealTimers();
  following?.stop();
});

async function start(): Promise<void> {
  following = await follow({
    slice: budgetSlice,
    aggregateId: budgetId,
    onChange: (followed) => seen.push(followed),
    onError: (error) => errors.push(error),
  });
}

async function append(aggregateId: string, event: BudgetEvent): Promise<void> {
  await gateway.admin.query(`select from intent.append_events($1, 'budget', $2, null, $3)`, [
    tenantId,
    aggregateId,
    JSON.stringify([{ ...event, schemaVersion: 1, metadata: {} }]),
  ]);
}

/** An append whose message is lost. */
async function appendUnheard(event: BudgetEvent): Promise<void> {
  await gateway.admin.query('begin');
  await gateway.admin.query('revoke insert on realtime.messages from intent_owner');
  await append(budgetId, event);
  await gateway.admin.query('grant insert on realtime.messages to intent_owner');
  await gateway.admin.query('commit');
}

const opened: BudgetEvent = { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 100 } };
const changedTo = (limit: number): BudgetEvent => ({ type: 'BudgetLimitChanged', payload: { limit } });

/** The last change that was reported: version, position and limit. */
function latest(): unknown[] {
  const { version, position, state } = seen.at(-1)!;
  return [version, position, 'limit' in state ? state.limit : undefined];
}

test('an aggregate without events is followed from its first state on', async () => {
  await start();
  await expect.poll(() => seen).toEqual([{ state: { status: 'not_open' }, version: 0, position: 0 }]);
  await append(budgetId, opened);
  await expect.poll(latest).toEqual([1, 1, 100]);
});

test('what came before is there at once, and what comes is applied in order', async () => {
  await append(budgetId, opened);
  await append(budgetId, changedTo(200));
  await start();
  await expect.poll(() => seen.length).toBe(1);
  expect(latest()).toEqual([2, 2, 200]);
  for (let limit = 201; limit <= 220; limit += 1) await append(budgetId, changedTo(limit));
  await expect.poll(latest).toEqual([22, 22, 220]);
  expect(seen.map(({ version }) => version)).toEqual(Array.from({ length: 21 }, (_, index) => index + 2));
});

test("another aggregate's events move the position and change nothing", async () => {
  await append(budgetId, opened);
  await start();
  await expect.poll(() => seen.length).toBe(1);
  await append('holidays', opened);
  await append(budgetId, changedTo(200));
  await expect.poll(latest).toEqual([2, 3, 200]);
  expect(seen).toHaveLength(2);
});

test('a lost message is a hole that the next one shows, and the feed fills', async () => {
  await append(budgetId, opened);
  await start();
  await expect.poll(() => seen.length).toBe(1);
  await appendUnheard(changedTo(200));
  await append('holidays', opened);
  await expect.poll(latest).toEqual([2, 3, 200]);
});

test('a lost message at the end of the stream is found by the slow timer', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  await append(budgetId, opened);
  await start();
  await vi.waitFor(() => expect(seen).toHaveLength(1));
  await appendUnheard(changedTo(200));
  vi.advanceTimersByTime(catchUpEveryMs);
  vi.useRealTimers();
  await expect.poll(latest).toEqual([2, 2, 200]);
});

test('a channel that is closed is replaced by a new one, and what it missed is caught up', async () => {
  await append(budgetId, opened);
  await start();
  await expect.poll(() => seen.length).toBe(1);
  await client.getChannels()[0]!.unsubscribe();
  await append(budgetId, changedTo(200));
  await expect.poll(latest, { timeout: 10_000 }).toEqual([2, 2, 200]);
  await append(budgetId, changedTo(300));
  await expect.poll(latest).toEqual([3, 3, 300]);
});

test('a snapshot and the events after it give the state', async () => {
  await append(budgetId, opened);
  const state: BudgetState = { status: 'open', name: 'Groceries', limit: 100, reserved: {}, spent: { 'order-1': 7 } };
  await gateway.admin.query(`select intent.save_snapshot($1, 'budget', $2, 1, $3, $4)`, [tenantId, budgetId, budgetSlice.stateVersion, state]);
  await append(budgetId, changedTo(200));
  await start();
  await expect.poll(() => seen.at(-1)?.state).toEqual({ ...state, limit: 200 });
});

test('several aggregates of a client share one channel, and the last one to leave closes it', async () => {
  await start();
  const other: number[] = [];
  const second = await follow({ slice: budgetSlice, aggregateId: 'holidays', onChange: ({ version }) => other.push(version) });
  await expect.poll(() => other).toEqual([0]);
  await append('holidays', opened);
  await expect.poll(() => other).toEqual([0, 1]);
  expect(client.getChannels()).toHaveLength(1);
  second.stop();
  expect(client.getChannels()).toHaveLength(1);
  following!.stop();
  await expect.poll(() => client.getChannels()).toEqual([]);
});

test('a channel can be joined again at once after it was left', async () => {
  const channels = createTenantChannels(client);
  const onSubscribed = vi.fn();
  const listener = { onSubscribed, onAppended: () => {}, onRefused: () => {} };
  const leave = await channels.join(tenantId, listener);
  await expect.poll(() => onSubscribed.mock.calls.length).toBe(1);
  leave();
  const leaveAgain = await channels.join(tenantId, listener);
  await expect.poll(() => onSubscribed.mock.calls.length).toBe(2);
  leaveAgain();
});

test('a refused join is an error that names the tenant, and is not tried again', async () => {
  await gateway.admin.query(`update intent.memberships set status = 'removed' where user_id = $1`, [userId]);
  await start();
  await expect.poll(() => errors.map(({ message }) => message)).toEqual([
    `The session's user is not, or no longer, an active member of tenant ${tenantId}.`,
  ]);
  expect(seen).toEqual([]);
  await expect.poll(() => client.getChannels()).toEqual([]);
});

test('a session without a tenant cannot follow, and hears which claim is missing', async () => {
  const stranger = await gateway.signUp(`stranger-${tenantId}`);
  const refused = createFollow(stranger.client)({ slice: budgetSlice, aggregateId: budgetId, onChange: () => {} });
  await expect(refused).rejects.toThrow('no claim tenant_id');
});

test('nobody signed in cannot follow', async () => {
  const refused = createFollow(gateway.client())({ slice: budgetSlice, aggregateId: budgetId, onChange: () => {} });
  await expect(refused).rejects.toThrow('Nobody is signed in.');
});
