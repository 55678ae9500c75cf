import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createCommandStore } from '../adapters/postgres/command-store.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { budgetSlice } from '../domain/budget/budget.ts';
import { startHealthServer } from '../main/health.ts';
import { createMetrics } from '../main/metrics.ts';
import { createMetricsPage } from '../main/metrics-page.ts';
import { createReadiness } from '../main/readiness.ts';
import type { CommandStore } from '../ports/command-store.ts';
import { append } from '../testing/appends.ts';
import { createTestDatabase } from '../testing/database.ts';
import { claimsOf, connect, createTenant, openBudget, queryAs, submitAs, type TestTenant } from '../testing/tenant.ts';
import { createHandleBatch } from './handle-batch.ts';
import { createHandleCommand } from './handle-command.ts';
import { createSnapshotWriter } from './snapshot-writer.ts';

const log = pino({ level: 'silent' });
let db: ReturnType<typeof connect>;
let store: CommandStore;
let tenant: TestTenant;
let other: TestTenant;
beforeAll(async () => {
  db = connect(await createTestDatabase());
  store = createCommandStore({ pool: db.worker });
});
beforeEach(async () => {
  [tenant, other] = [await createTenant(db.admin), await createTenant(db.admin)];
});
afterAll(() => db.end());

/** A budget with so many events, of which all but the first reserve a cent. No snapshot is made. */
async function budgetOf(eventCount: number): Promise<void> {
  const opened = { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 1_000_000 } };
  const reserved = Array.from({ length: eventCount - 1 }, () => ({ type: 'BudgetReserved', payload: { orderId: randomUUID(), amount: 1 } }));
  const events = [opened, ...reserved];
  for (let from = 0; from < events.length; from += 1_000) await appendToBudget(events.slice(from, from + 1_000));
}
const appendToBudget = (events: readonly unknown[]) =>
  append(db.worker, tenant.tenantId, { aggregateType: 'budget', aggregateId: 'groceries', expectedVersion: null, events });

/** Has every event of a budget take so long, and counts them. */
function slowEvolve(ms: number) {
  const { evolve } = budgetSlice.decider;
  const spy = vi.spyOn(budgetSlice.decider, 'evolve').mockImplementation((state, event) => {
    for (const until = performance.now() + ms; performance.now() < until; );
    return evolve(state, event);
  });
  onTestFinished(() => spy.mockRestore());
  return () => spy.mock.calls.length;
}

/** How many events are folded at most while nothing else gets a turn. */
function mostAtOnce(evolved: () => number): () => number {
  let [before, most, watching] = [0, 0, true];
  const look = () => {
    most = Math.max(most, evolved() - before);
    before = evolved();
    if (watching) setImmediate(look);
  };
  setImmediate(look);
  return () => {
    watching = false;
    return most;
  };
}

async function startHealth() {
  const readiness = createReadiness();
  const server = await startHealthServer(0, readiness, createMetricsPage(createMetrics()));
  onTestFinished(() => server.close());
  return async () => (await fetch(`http://127.0.0.1:${server.port}/healthz`)).status;
}

function handlers(on: CommandStore = store, longestFoldMs?: number) {
  const snapshots = createSnapshotWriter({ store: on, log });
  const deps = { store: on, snapshots, clock: systemClock, ...(longestFoldMs !== undefined && { longestFoldMs }) };
  return { handleCommand: createHandleCommand(deps), handleBatch: createHandleBatch(deps), snapshots };
}

async function submitLimit(limit: number) {
  const command = { type: 'ChangeBudgetLimit', aggregateType: 'budget', aggregateId: 'groceries', payload: { limit } };
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), command);
  return { tenantId: tenant.tenantId, commandId };
}

async function snapshotVersion(): Promise<number | undefined> {
  const { rows } = await db.admin.query<{ version: number }>('select version::int from intent.snapshots where tenant_id = $1', [tenant.tenantId]);
  return rows[0]?.version;
}

describe.each([5_001, 10_001])('a stream of %i events without a snapshot, each slow', (eventCount) => {
  it('leaves the thread to health checks and to the commands of others', async () => {
    await budgetOf(eventCount);
    const healthz = await startHealth();
    const evolved = slowEvolve(0.1);
    const atOnce = mostAtOnce(evolved);
    const { handleCommand } = handlers(store, 60_000);
    const long = handleCommand(await submitLimit(2_000_000));
    await expect.poll(evolved, { interval: 1 }).toBeGreaterThan(10);
    const { commandId } = await submitAs(db.admin, claimsOf(other, 'owner'), openBudget('holidays'));
    expect(await handleCommand({ tenantId: other.tenantId, commandId })).toBe('succeeded');
    expect(await healthz()).toBe(200);
    expect(evolved()).toBeLessThan(eventCount);
    expect(await long).toBe('succeeded');
    // A slice is 10 ms, and an event takes 0.1.
    expect(atOnce()).toBeLessThan(200);
  }, 120_000);
});

it('a stream of more than 10,000 events is never handed out as a whole, nor a part of it to who does not ask for pages', async () => {
  await budgetOf(10_001);
  const read = (call: string) => queryAs<{ answer: { version: number; events: unknown[] } }>(db.admin, claimsOf(tenant, 'guest'), `select ${call} as answer`);
  await expect(read(`api.hydrate('budget', 'groceries')`)).rejects.toMatchObject({ code: 'IN413' });
  await expect(read(`api.stream_as_of('budget', 'groceries')`)).rejects.toMatchObject({ code: 'IN413' });
  await expect(db.worker.query(`select intent.load_aggregate($1, 'budget', 'groceries', 9)`, [tenant.tenantId])).rejects.toMatchObject({ code: 'IN413' });
  const [page] = await read(`api.hydrate('budget', 'groceries', max_events => 5000)`);
  expect({ version: page!.answer.version, events: page!.answer.events.length }).toEqual({ version: 10_001, events: 1_000 });
}, 120_000);

describe('a long stream', () => {
  it('is read in pages, and each event folded once', async () => {
    await budgetOf(3_500);
    const evolved = slowEvolve(0);
    const pages: number[] = [];
    const counting: CommandStore = {
      ...store,
      async load(...asked) {
        const loaded = await store.load(...asked);
        pages.push(loaded!.stream.events.length);
        return loaded;
      },
      async loadEvents(...asked) {
        const page = await store.loadEvents(...asked);
        pages.push(page.events.length);
        return page;
      },
    };
    const { handleCommand, snapshots } = handlers(counting);
    expect(await handleCommand(await submitLimit(2_000_000))).toBe('succeeded');
    await snapshots.drain();
    expect({ evolved: evolved(), snapshot: await snapshotVersion() }).toEqual({ evolved: 3_501, snapshot: 3_501 });
    expect(pages.every((length) => length <= 1_000)).toBe(true);
    expect(pages.reduce((sum, length) => sum + length)).toBe(3_500);
  }, 120_000);

  it('is begun further on by each attempt, if one is not enough', async () => {
    await budgetOf(2_001);
    const evolved = slowEvolve(0.2);
    const { handleCommand, snapshots } = handlers(store, 60);
    const command = await submitLimit(2_000_000);
    const faults: string[] = [];
    const saved: (number | undefined)[] = [];
    for (let ended = false; !ended; ) {
      ended = await handleCommand(command).then(() => true, (error: Error) => faults.push(error.name) === 0);
      await snapshots.drain();
      saved.push(await snapshotVersion());
    }
    expect(faults.length).toBeGreaterThan(1);
    expect(new Set(faults)).toEqual(new Set(['FoldUnfinished']));
    // The last attempt may have come too little further for another one.
    const begun = saved.slice(0, -1);
    expect(begun).toEqual([...new Set(begun)].toSorted((one, next) => one! - next!));
    // All of them once, and what the command itself has brought.
    expect(evolved()).toBe(2_002);
  }, 120_000);

  it('has a snapshot also where the command is rejected', async () => {
    await budgetOf(1_500);
    const { handleCommand, snapshots } = handlers();
    expect(await handleCommand(await submitLimit(3))).toBe('rejected');
    await snapshots.drain();
    expect(await snapshotVersion()).toBe(1_500);
  });

  it('that grows by thousands of events between decision and append is decided on all of them', async () => {
    await budgetOf(2);
    const late = Array.from({ length: 2_500 }, () => ({ type: 'BudgetReserved', payload: { orderId: randomUUID(), amount: 1 } }));
    let grown = false;
    const growing: CommandStore = {
      ...store,
      async append(...asked) {
        if (!grown) for (let from = 0; from < late.length; from += 1_000) await appendToBudget(late.slice(from, from + 1_000));
        grown = true;
        return store.append(...asked);
      },
    };
    const command = await submitLimit(2_400);
    expect(await handlers(growing).handleCommand(command)).toBe('rejected');
    const { rows } = await db.admin.query('select outcome from intent.commands where command_id = $1', [command.commandId]);
    expect(rows).toMatchObject([{ outcome: { code: 'LIMIT_BELOW_COMMITTED', details: { committed: 2_501 } } }]);
  }, 120_000);

  it('is left out of a batch, which settles the others', async () => {
    await budgetOf(1_500);
    const long = await submitLimit(2_000_000);
    const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('holidays'));
    const { settled, bugs } = await handlers().handleBatch(tenant.tenantId, [long.commandId, commandId]);
    expect({ settled: [...settled], bugs: bugs.size }).toEqual({ settled: [commandId], bugs: 0 });
  });
});
