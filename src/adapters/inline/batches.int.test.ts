import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHandleBatch } from '../../application/handle-batch.ts';
import { createHandleCommand } from '../../application/handle-command.ts';
import { createSnapshotWriter } from '../../application/snapshot-writer.ts';
import type { CommandStore } from '../../ports/command-store.ts';
import { StoreUnavailable } from '../../ports/errors.ts';
import { append, misnumbered } from '../../testing/appends.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../../testing/tenant.ts';
import { createCommandQueue } from '../postgres/command-queue.ts';
import { createCommandStore } from '../postgres/command-store.ts';
import { systemClock } from '../system/clock.ts';
import { createInlineDispatcher } from './dispatcher.ts';

const log = pino({ level: 'silent' });
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
let store: CommandStore;
beforeAll(async () => {
  db = connect(await createTestDatabase());
  store = createCommandStore({ pool: db.worker });
  // As an operator's mistake or an older release would leave it: the registry of this release does not know the type.
  await db.admin.query(`insert into intent.message_types values ('Poison', 'budget', '^.+$', '{owner}', 1, 'inline')`);
});
afterAll(() => db.end());
beforeEach(async () => {
  await db.admin.query('truncate intent.commands');
  tenant = await createTenant(db.admin);
});

/** The engine on this store, with the number of transactions that it has settled in. */
function engineOn(ofStore: CommandStore) {
  let batches = 0;
  const counting: CommandStore = {
    ...ofStore,
    settleBatch(...batch) {
      batches += 1;
      return ofStore.settleBatch(...batch);
    },
  };
  const snapshots = createSnapshotWriter({ store: counting, log });
  const deps = { store: counting, snapshots, clock: systemClock };
  const dispatcher = createInlineDispatcher({ handleBatch: createHandleBatch(deps), handleCommand: createHandleCommand(deps), store: counting, log });
  return { dispatchAll: dispatcher.dispatchAll, drain: snapshots.drain, batches: () => batches };
}

const claim = (pumpName = 'pump') => createCommandQueue({ pool: db.pump, pumpName }).claim(100);
const submit = (command: Parameters<typeof submitAs>[2], of = tenant) => submitAs(db.admin, claimsOf(of, 'owner'), command);
const changeLimit = (limit: number) => ({ type: 'ChangeBudgetLimit', aggregateType: 'budget', aggregateId: 'food', payload: { limit } });
const poison = () => ({ type: 'Poison', aggregateType: 'budget', aggregateId: 'food', payload: {} });

async function outcomes() {
  const { rows } = await db.admin.query<{ status: string; code: string | null; version: number | null }>(`
    select status, outcome ->> 'code' as code, (outcome ->> 'firstVersion')::int as version from intent.commands order by due_at, command_id`);
  return rows;
}
async function eventCount(): Promise<number> {
  const { rows } = await db.admin.query<{ count: number }>('select count(*)::int as count from intent.events where tenant_id = $1', [tenant.tenantId]);
  return rows[0]!.count;
}
const succeeded = (version: number) => ({ status: 'succeeded', code: null, version });

describe('a batch of the inline engine', () => {
  it('decides 100 waiting commands of one aggregate in one transaction, each on what the one before it has left', async () => {
    await submit(openBudget('food', 1_000));
    await submit({ ...openBudget('food'), expectedVersion: 0 });
    for (let n = 2; n < 100; n += 1) await submit({ ...changeLimit(n * 1_000), expectedVersion: n - 1 });
    const engine = engineOn(store);
    const claimed = await claim();
    expect(claimed).toHaveLength(1);
    expect(await Promise.all(engine.dispatchAll(claimed))).toEqual(['ended']);
    expect(engine.batches()).toBe(1);
    const [opened, conflict, ...changed] = await outcomes();
    expect(opened).toEqual(succeeded(1));
    expect(conflict).toMatchObject({ status: 'rejected', code: 'CONFLICT' });
    expect(changed).toEqual(Array.from({ length: 98 }, (_, n) => succeeded(n + 2)));
    expect(await misnumbered(db.admin)).toEqual([]);
    expect(await claim()).toEqual([]);
  });

  it('saves a snapshot where a stream has grown enough', async () => {
    await submit(openBudget('food'));
    for (let n = 1; n < 100; n += 1) await submit(changeLimit(n * 1_000));
    const engine = engineOn(store);
    await Promise.all(engine.dispatchAll(await claim()));
    await engine.drain();
    const { rows } = await db.admin.query('select version::int, state from intent.snapshots where tenant_id = $1', [tenant.tenantId]);
    expect(rows).toMatchObject([{ version: 100, state: { status: 'open', limit: 99_000 } }]);
  });

  it('dead-letters a command in the middle that can never be executed, and executes the rest of its run', async () => {
    await submit(openBudget('food'));
    await submit(poison());
    await submit(changeLimit(5_000));
    await Promise.all(engineOn(store).dispatchAll(await claim()));
    expect(await outcomes()).toEqual([succeeded(1), { status: 'failed', code: 'FAILED', version: null }, succeeded(2)]);
    const { rows } = await db.operator.query('select error from intent.dead_letters where tenant_id = $1', [tenant.tenantId]);
    expect(rows).toEqual([{ error: { name: 'Error', message: 'The slice budget has no command Poison.' } }]);
  });

  it('leaves to itself an aggregate of which something is refused, and settles the others of the transaction', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await submit(openBudget(name));
    const engine = engineOn({
      ...store,
      // As the database refuses what it cannot record.
      settleBatch: (tenantId, runs) =>
        store.settleBatch(tenantId, runs.map((run) => (run.aggregateId === 'c' ? { ...run, decisions: run.decisions.map(({ commandId }) => ({ commandId, events: [] })) } : run))),
    });
    await Promise.all(engine.dispatchAll(await claim()));
    expect(await outcomes()).toEqual([1, 1, 1, 1, 1].map(succeeded));
    expect(await misnumbered(db.admin)).toEqual([]);
  });

  it('decides again where another writer was faster between load and settlement', async () => {
    await submit({ ...openBudget('food'), expectedVersion: 0 });
    await submit(openBudget('other'));
    const engine = engineOn({
      ...store,
      async loadBatch(...batch) {
        const loaded = await store.loadBatch(...batch);
        const events = [{ type: 'BudgetLimitChanged', payload: { limit: 1 } }];
        await append(db.worker, tenant.tenantId, { aggregateType: 'budget', aggregateId: 'food', expectedVersion: 0, events });
        return loaded;
      },
    });
    await Promise.all(engine.dispatchAll(await claim()));
    expect(await outcomes()).toEqual([{ status: 'rejected', code: 'CONFLICT', version: null }, succeeded(1)]);
    expect(await misnumbered(db.admin)).toEqual([]);
  });

  it('settles once where its lease has ended and another pump has taken over meanwhile', async () => {
    await submit(openBudget('food'));
    await submit(changeLimit(5_000));
    const slow = await claim('slow');
    const engine = engineOn({
      ...store,
      async loadBatch(...batch) {
        const loaded = await store.loadBatch(...batch);
        await db.admin.query('update intent.commands set claimed_until = clock_timestamp() where claimed_by is not null');
        await Promise.all(engineOn(store).dispatchAll(await claim('fast')));
        return loaded;
      },
    });
    expect(await Promise.all(engine.dispatchAll(slow))).toEqual(['ended']);
    expect(await outcomes()).toEqual([succeeded(1), succeeded(2)]);
    expect(await eventCount()).toBe(2);
  });

  it('loses nothing and does nothing twice where its answer is lost, or it dies before it settles', async () => {
    await submit(openBudget('food'));
    await submit(changeLimit(5_000));
    // Nothing that it would write arrives any more.
    const killed = () => Promise.reject(new Error('killed'));
    const died = engineOn({ ...store, settleBatch: killed, append: killed, fail: killed });
    await expect(Promise.all(died.dispatchAll(await claim()))).rejects.toThrow('killed');
    expect(await eventCount()).toBe(0);
    await db.admin.query('update intent.commands set claimed_until = clock_timestamp() where claimed_by is not null');
    let isFirst = true;
    const losing = engineOn({
      ...store,
      async settleBatch(...batch) {
        const settled = await store.settleBatch(...batch);
        if (!isFirst) return settled;
        isFirst = false;
        throw new StoreUnavailable('The answer is lost');
      },
    });
    expect(await Promise.all(losing.dispatchAll(await claim()))).toEqual(['ended']);
    expect(await outcomes()).toEqual([succeeded(1), succeeded(2)]);
    expect(await eventCount()).toBe(2);
  });

  it('keeps tenants apart: each has its own transaction, and the trouble of one is not the other’s', async () => {
    const other = await createTenant(db.admin);
    await submit(openBudget('food'));
    await submit(openBudget('food'), other);
    const engine = engineOn({
      ...store,
      loadBatch: (tenantId, ...rest) => (tenantId === other.tenantId ? Promise.reject(new Error('no')) : store.loadBatch(tenantId, ...rest)),
      load: (command, ...rest) => (command.tenantId === other.tenantId ? Promise.reject(new Error('The other one is broken')) : store.load(command, ...rest)),
    });
    expect(await Promise.all(engine.dispatchAll(await claim()))).toEqual(['ended', 'ended']);
    expect(engine.batches()).toBe(1);
    const { rows } = await db.admin.query('select tenant_id, status from intent.commands');
    expect(rows).toEqual(expect.arrayContaining([{ tenant_id: tenant.tenantId, status: 'succeeded' }, { tenant_id: other.tenantId, status: 'failed' }]));
  });
});
