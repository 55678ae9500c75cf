import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCommandStore } from '../adapters/postgres/command-store.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { findSlice } from '../domain/registry.ts';
import { StoreUnavailable } from '../ports/errors.ts';
import type { CommandStore, SnapshotToSave } from '../ports/command-store.ts';
import { append } from '../testing/appends.ts';
import { createTestDatabase } from '../testing/database.ts';
import { claimsOf, connect, createTenant, submitAs, type TestTenant } from '../testing/tenant.ts';
import { aggregateOf } from './decide-command.ts';
import { createHandleCommand } from './handle-command.ts';
import { createSnapshotWriter } from './snapshot-writer.ts';

const budgetSlice = findSlice('budget')!;
const { snapshotEvery, stateVersion } = budgetSlice;
const log = pino({ level: 'silent' });

let db: ReturnType<typeof connect>;
let store: CommandStore;
let tenant: TestTenant;
beforeAll(async () => {
  db = connect(await createTestDatabase());
  store = createCommandStore({ pool: db.worker });
});
beforeEach(async () => {
  tenant = await createTenant(db.admin);
});
afterAll(() => db.end());

/** A budget of so many events, whose limit is their number. */
async function budgetOf(eventCount: number, aggregateId = 'groceries'): Promise<void> {
  const changes = Array.from({ length: eventCount - 1 }, (_, n) => ({ type: 'BudgetLimitChanged', payload: { limit: n + 2 } }));
  const events = [{ type: 'BudgetOpened', payload: { name: 'Groceries', limit: 1 } }, ...changes];
  await append(db.worker, tenant.tenantId, { aggregateType: 'budget', aggregateId, expectedVersion: 0, events });
}

/** Executes ChangeBudgetLimit on a store, and returns what can be awaited of its snapshots. */
async function changeLimit(limit: number, on: CommandStore = store) {
  const snapshots = createSnapshotWriter({ store: on, log });
  const handle = createHandleCommand({ store: on, snapshots, clock: systemClock });
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), {
    type: 'ChangeBudgetLimit',
    aggregateType: 'budget',
    aggregateId: 'groceries',
    payload: { limit },
  });
  const status = await handle({ tenantId: tenant.tenantId, commandId });
  return { status, snapshots };
}

async function savedVersions(): Promise<number[]> {
  const { rows } = await db.admin.query<{ version: number }>('select version::int from intent.snapshots where tenant_id = $1 order by 1', [tenant.tenantId]);
  return rows.map(({ version }) => version);
}

async function loadedBudget() {
  const { rows } = await db.worker.query<{ stream: Parameters<typeof aggregateOf>[1] }>('select intent.load_aggregate($1, $2, $3, $4) as stream', [
    tenant.tenantId, 'budget', 'groceries', stateVersion,
  ]);
  return rows[0]!.stream;
}

describe('a snapshot', () => {
  it('is written when a stream has grown by as many events as its slice says, and not before', async () => {
    await budgetOf(snapshotEvery - 2);
    await (await changeLimit(5)).snapshots.drain();
    expect(await savedVersions()).toEqual([]);
    await (await changeLimit(6)).snapshots.drain();
    expect(await savedVersions()).toEqual([snapshotEvery]);
  });

  it('holds what a replay of all events comes to', async () => {
    await budgetOf(snapshotEvery);
    await (await changeLimit(77)).snapshots.drain();
    const { snapshot, events } = await loadedBudget();
    await db.admin.query('delete from intent.snapshots where tenant_id = $1', [tenant.tenantId]);
    const replayed = await loadedBudget();
    expect({ snapshot: snapshot?.version, events, replayed: replayed.events.length }).toEqual({ snapshot: snapshotEvery + 1, events: [], replayed: snapshotEvery + 1 });
    expect(snapshot?.state).toEqual(aggregateOf('budget', replayed).state);
  });

  it('keeps no command waiting: it is written after the command has ended', async () => {
    await budgetOf(snapshotEvery);
    const gate = Promise.withResolvers<void>();
    const { status, snapshots } = await changeLimit(1, { ...store, saveSnapshot: (snapshot) => gate.promise.then(() => store.saveSnapshot(snapshot)) });
    expect({ status, saved: await savedVersions() }).toEqual({ status: 'succeeded', saved: [] });
    gate.resolve();
    await snapshots.drain();
    expect(await savedVersions()).toEqual([snapshotEvery + 1]);
  });

  it('that cannot be written is left out, and the next append offers one again', async () => {
    await budgetOf(snapshotEvery);
    const away = await changeLimit(1, { ...store, saveSnapshot: () => Promise.reject(new StoreUnavailable('away')) });
    await away.snapshots.drain();
    expect({ status: away.status, saved: await savedVersions() }).toEqual({ status: 'succeeded', saved: [] });
    await (await changeLimit(2)).snapshots.drain();
    expect(await savedVersions()).toEqual([snapshotEvery + 2]);
  });

  it('of another state version is passed by: the command is decided on a replay, and its snapshot takes the place', async () => {
    await budgetOf(snapshotEvery);
    await store.saveSnapshot({
      tenantId: tenant.tenantId, aggregateType: 'budget', aggregateId: 'groceries', version: snapshotEvery, stateVersion: stateVersion + 1, state: { status: 'not_open' },
    });
    const { status, snapshots } = await changeLimit(1);
    await snapshots.drain();
    expect({ status, saved: await savedVersions() }).toEqual({ status: 'succeeded', saved: [snapshotEvery + 1] });
  });
});

describe('snapshots that wait', () => {
  const offerTo = (snapshots: ReturnType<typeof createSnapshotWriter>, aggregateId: string, version = snapshotEvery) =>
    snapshots.offer(tenant.tenantId, aggregateId, { slice: budgetSlice, state: {}, version }, { version: 0, snapshot: null, events: [] });

  function blockedWriter() {
    const gate = Promise.withResolvers<void>();
    const saved: SnapshotToSave[] = [];
    const snapshots = createSnapshotWriter({ log, store: { ...store, saveSnapshot: (snapshot) => gate.promise.then(() => void saved.push(snapshot)) } });
    return { snapshots, saved, open: gate.resolve };
  }

  it('give way to a newer one of their stream', async () => {
    const { snapshots, saved, open } = blockedWriter();
    offerTo(snapshots, 'first');
    for (const version of [100, 102, 101]) offerTo(snapshots, 'second', version);
    open();
    await snapshots.drain();
    expect(saved.map(({ aggregateId, version }) => [aggregateId, version])).toEqual([['first', 100], ['second', 102]]);
  });

  it('are bounded: what is offered beyond is left out, and the writer goes on', async () => {
    const { snapshots, saved, open } = blockedWriter();
    for (let n = 0; n < 200; n += 1) offerTo(snapshots, `budget-${n}`);
    open();
    await snapshots.drain();
    expect(saved).toHaveLength(101);
    offerTo(snapshots, 'later');
    await snapshots.drain();
    expect(saved).toHaveLength(102);
  });
});
