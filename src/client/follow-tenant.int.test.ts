import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { TestGateway } from '../local/gateway/testing/test-gateway.ts';
import { startClientGateway } from '../testing/client-gateway.ts';
import { type ClientTenant, createClientTenant } from '../testing/client-tenant.ts';
import { collect } from '../testing/collect.ts';
import { expectSoon } from '../testing/expect-soon.ts';
import type { FollowingTenant, FollowTenantOptions } from './follow-tenant.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startClientGateway();
}, 60_000);

afterAll(() => gateway.stop());

let tenant: ClientTenant;
let following: FollowingTenant;

beforeEach(async () => {
  tenant = await createClientTenant(gateway);
  await append(3);
});

afterEach(() => following.close());

/** Events on a stream of each its own. */
async function append(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await tenant.append(`budget-${crypto.randomUUID()}`, { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 100 } });
  }
}

async function follow(options?: FollowTenantOptions): Promise<void> {
  following = tenant.followTenant(options);
  await expectSoon(() => following.getSnapshot().connection.status).toBe('live');
}

function kept(): number[] {
  return following.getSnapshot().events.map(({ position }) => position);
}

test('without a beginning it begins at the end of the log', async () => {
  await follow();
  expect(following.getSnapshot()).toMatchObject({ events: [], position: 3 });
  await append(1);
  await following.waitFor(4);
  expect(kept()).toEqual([4]);
});

test('from a beginning on it has every event, and keeps as many as it is told to', async () => {
  await follow({ after: 1, keep: 4 });
  expect(kept()).toEqual([2, 3]);
  await append(5);
  await following.waitFor(8);
  expect(kept()).toEqual([5, 6, 7, 8]);
});

test('each iteration has every event from the beginning on, also those that are not kept any more', async () => {
  await follow({ after: 0, keep: 2 });
  await append(5);
  await following.waitFor(8);
  for (let iteration = 0; iteration < 2; iteration += 1) {
    const positions: number[] = [];
    for await (const { position } of following) {
      if (positions.push(position) === 8) break;
    }
    expect(positions).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  }
});

test('an iteration that reads what is not kept any more goes on where the server is away for a moment', async () => {
  await follow({ after: 0, keep: 2 });
  await append(5);
  await following.waitFor(8);
  let failures = 3;
  const network = globalThis.fetch;
  const broken = vi.spyOn(globalThis, 'fetch').mockImplementation(async (...request) => {
    failures -= 1;
    if (failures >= 0) throw new TypeError('fetch failed');
    return network(...request);
  });
  try {
    following.close();
    expect((await collect(following)).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(failures).toBeLessThan(0);
  } finally {
    broken.mockRestore();
  }
});

test('an append that is too large for a message is announced without its events, and read from the feed', async () => {
  await follow();
  await tenant.append('holidays', { type: 'BudgetPainted', schemaVersion: 1, payload: { colour: 'x'.repeat(210_000) } });
  await following.waitFor(4);
  expect(following.getSnapshot().events).toMatchObject([{ position: 4, type: 'BudgetPainted' }]);
  const { rows } = await gateway.admin.query<{ payload: object }>(
    `select payload - 'id' as payload from realtime.messages where topic = $1 order by payload -> 'toPosition' desc limit 1`,
    [`tenant:${tenant.tenantId}:events`],
  );
  expect(rows[0]!.payload).toEqual({ aggregateType: 'budget', aggregateId: 'holidays', fromPosition: 4, toPosition: 4 });
});

test('an iteration waits for events, and ends after the last one when it is closed', async () => {
  await follow();
  const iterating = collect(following);
  await append(2);
  await following.waitFor(5);
  following.close();
  expect(await iterating).toMatchObject([{ position: 4 }, { position: 5 }]);
});

test('a beginning beyond the end of the log belongs to another log, and is refused', async () => {
  following = tenant.followTenant({ after: 7 });
  await expectSoon(() => following.getSnapshot().connection).toMatchObject({ status: 'closed', error: { code: 'AHEAD_OF_LOG' } });
  await expect(collect(following)).rejects.toMatchObject({ code: 'AHEAD_OF_LOG' });
});

test('a snapshot stays the same object until something changes', async () => {
  await follow({ after: 0 });
  const before = following.getSnapshot();
  expect(following.getSnapshot()).toBe(before);
  let changes = 0;
  const unsubscribe = following.subscribe(() => (changes += 1));
  await append(1);
  await following.waitFor(4);
  expect(changes).toBe(1);
  expect(following.getSnapshot()).not.toBe(before);
  unsubscribe();
  await append(1);
  await following.waitFor(5);
  expect(changes).toBe(1);
});
