import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TemporalConnection } from '../adapters/temporal/connection.ts';
import { temporalScheduleId } from '../adapters/temporal/schedules.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { type MainProcess, startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { renameAway } from '../testing/rename-away.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, queryAs, submitAs, type TestTenant } from '../testing/tenant.ts';
import { connectToTestTemporal, startTestTemporal } from '../testing/temporal.ts';

// A deploy, in which the migration comes before or after the release that needs it.
const temporal = await startTestTemporal();
let database: TestDatabase;
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  tenant = await createTenant(db.admin);
});
afterAll(async () => {
  await db.end();
  await temporal?.stop();
});

// A retry may be 15 s away.
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 25_000, interval: 50 });
const timeout = 60_000;

async function expectCommand(commandId: string, status: string): Promise<void> {
  await eventually(async () => {
    expect((await db.admin.query('select status from intent.commands where command_id = $1', [commandId])).rows).toEqual([{ status }]);
  });
}
async function submit(aggregateId: string): Promise<string> {
  return (await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget(aggregateId))).commandId;
}
/** Until what is returned is called, or the test has failed. */
async function missing(name: string): Promise<() => Promise<void>> {
  const giveBack = await renameAway(db.admin, [name]);
  let isBack = false;
  const once = async () => {
    if (!isBack) await giveBack();
    isBack = true;
  };
  onTestFinished(once);
  return once;
}
async function whatReadyzSays({ get }: MainProcess): Promise<{ lacks?: string[]; waiting?: string[] }> {
  return (await (await get('/readyz'))!.json()) as { lacks?: string[]; waiting?: string[] };
}
const expectLack = (worker: MainProcess, name: string) =>
  eventually(async () => {
    const { lacks } = await whatReadyzSays(worker);
    expect(lacks?.join()).toContain(`its schema is older or newer than this release (${name})`);
  });
/** That something has met it, and waits. */
const expectWaiting = (worker: MainProcess, name: string) =>
  eventually(async () => {
    const { waiting } = await whatReadyzSays(worker);
    expect(waiting?.join()).toMatch(new RegExp(`a schema that fits: .*${name}`));
  });
async function expectNothingSetAside(): Promise<void> {
  const { rows } = await db.operator.query('select (select count(*) from intent.dead_letters)::int as letters, (select count(*) from intent.failed_processes)::int as processes');
  expect(rows).toEqual([{ letters: 0, processes: 0 }]);
}

// With the inline engine one process is worker and pump.
it('commands wait while a function is missing that executes them, /readyz names it, and they go on when it is there', { timeout }, async () => {
  const worker = await startMainProcess('worker', database, { INTENT_ENGINE: 'inline' });
  onTestFinished(async () => void (await worker.stop()));
  await worker.ready();
  const giveBack = await missing('settle_batch');
  const commandId = await submit('waits');
  await expectLack(worker, 'settle_batch');
  await expectWaiting(worker, 'settle_batch');
  expect((await worker.get('/readyz'))?.status).toBe(503);
  await expectCommand(commandId, 'pending');
  await giveBack();
  await expectCommand(commandId, 'succeeded');
  await worker.ready();
  expect(await worker.stop()).toBe(0);
});

describe('on Temporal', needs(temporal, 'there is no Temporal'), () => {
  let worker: MainProcess;
  let connected: TemporalConnection;
  beforeAll(async () => {
    connected = await connectToTestTemporal(temporal!, pino({ level: 'silent' }));
    worker = await startMainProcess('worker', database, { TEMPORAL_ADDRESS: temporal!.address, INTENT_TASK_QUEUES: '1', INTENT_PUMP: 'embedded' });
    await worker.ready();
  });
  afterAll(async () => {
    await worker.stop();
    await connected.connection.close();
  });

  it('commands wait while a function is missing that executes them, /readyz names it, and they go on when it is there', { timeout }, async () => {
    const giveBack = await missing('load_command');
    const commandId = await submit('waits-on-temporal');
    await expectLack(worker, 'load_command');
    await expectWaiting(worker, 'load_command');
    await expectCommand(commandId, 'dispatched');
    await giveBack();
    await expectCommand(commandId, 'succeeded');
    await expectNothingSetAside();
    await worker.ready();
  });

  it('what only a command in hand can tell, a table that is missing, stands at /readyz as well', { timeout }, async () => {
    await db.admin.query('alter table intent.snapshots rename to of_another_release');
    const commandId = await submit('without-a-table');
    await expectWaiting(worker, '42P01.*snapshots');
    await expectCommand(commandId, 'dispatched');
    await db.admin.query('alter table intent.of_another_release rename to snapshots');
    await expectCommand(commandId, 'succeeded');
    await expectNothingSetAside();
  });

  it.each(['load_process', 'advance_process'])('a process manager waits while %s is missing, and goes on when it is there', { timeout }, async (name) => {
    const budgetId = name.replace('_', '-');
    await expectCommand(await submit(budgetId), 'succeeded');
    const giveBack = await missing(name);
    const order = placeOrder();
    await submitAs(db.admin, claimsOf(tenant, 'member'), { ...order, payload: { ...order.payload, budgetId } });
    await expectLack(worker, name);
    await expectWaiting(worker, name);
    await giveBack();
    await eventually(async () => {
      const { rowCount } = await db.admin.query(`select from intent.events where type = 'BudgetReserved' and payload ->> 'orderId' = $1`, [order.aggregateId]);
      expect(rowCount).toBe(1);
    });
    await expectNothingSetAside();
  });

  describe('schedules', () => {
    const asOwner = (statement: string, values: readonly unknown[]) => queryAs(db.admin, claimsOf(tenant, 'owner'), statement, values);
    const schedule = (scheduleId: string) =>
      asOwner(`select api.schedule_command($1, '0 0 1 1 *', 'OpenBudget', 'budget', $1 || '-{uuid}', '{"name": "Food", "limit": 40000}', 'Europe/Berlin')`, [scheduleId]);
    const handleOf = (scheduleId: string) => connected.client.schedule.getHandle(temporalScheduleId({ ...tenant, scheduleId }));
    const expectSchedule = (scheduleId: string) =>
      eventually(async () => expect((await handleOf(scheduleId).describe().catch(() => undefined))?.state).toMatchObject({ paused: false }));
    async function expectNothingPaused(): Promise<void> {
      expect((await db.admin.query('select from intent.schedules where paused_because is not null')).rowCount).toBe(0);
    }

    it('lose no occasion while submit_scheduled_command is missing', { timeout }, async () => {
      await schedule('monthly');
      await expectSchedule('monthly');
      const giveBack = await missing('submit_scheduled_command');
      await handleOf('monthly').trigger();
      await expectLack(worker, 'submit_scheduled_command');
      await expectWaiting(worker, 'submit_scheduled_command');
      await expectNothingPaused();
      await giveBack();
      await eventually(async () => {
        expect((await db.admin.query(`select from intent.commands where aggregate_id like 'monthly-%'`)).rowCount).toBe(1);
      });
      await expectNothingPaused();
    });

    it('stay as they are while list_schedules is missing, and follow when it is there', { timeout }, async () => {
      await schedule('stays');
      await expectSchedule('stays');
      const giveBack = await missing('list_schedules');
      await schedule('follows');
      await expectLack(worker, 'list_schedules');
      const warnings = worker.lines.filter(({ err }) => JSON.stringify(err)?.includes('list_schedules')).length;
      await eventually(async () => expect(worker.lines.filter(({ err }) => JSON.stringify(err)?.includes('list_schedules')).length).toBeGreaterThan(warnings));
      await expectSchedule('stays');
      await giveBack();
      await expectSchedule('follows');
      await expectNothingPaused();
    });
  });
});
