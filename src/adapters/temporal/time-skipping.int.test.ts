import { randomUUID } from 'node:crypto';
import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSupplier } from '../../../examples/supplier/supplier.ts';
import type { Role } from '../../domain/kernel/message.ts';
import { createOrderFulfilment } from '../../domain/order-fulfilment/order-fulfilment.ts';
import { locateTestServer } from '../../local/temporal/locate-temporal.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { expectSoon } from '../../testing/expect-soon.ts';
import { type PartOfEngine, startTestPump } from '../../testing/fulfilment-engine.ts';
import { needs } from '../../testing/needs.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../../testing/tcp-proxy.ts';
import { claimsOf, connect, createTenant, openBudget, queryAs, submitAs, type TestTenant } from '../../testing/tenant.ts';
import { startTimeSkipping } from '../../testing/time-skipping.ts';
import { sharedQueues } from './task-queues.ts';
import { processWorkflowId } from './workflow-starts.ts';
import type { scheduledCommandWorkflow } from './workflows/index.ts';
import type { ProcessView } from './workflows/process-workflow.ts';

const hourMs = 3_600_000;
const unimplemented: number = 12;

const search = await locateTestServer({ env: process.env, log: console.log });
if (search.executable === undefined) console.log(`The tests that skip time are left out: ${search.reasons.join('; ')}`);

// One after the other: time is skipped for all workflows of the server.
describe('with time skipped', { timeout: 60_000, ...needs(search.executable, 'there is no Temporal server that skips time') }, () => {
  let db: ReturnType<typeof connect>;
  let proxy: TcpProxy;
  let workerPool: pg.Pool;
  let supplier: Awaited<ReturnType<typeof startSupplier>>;
  let temporal: Awaited<ReturnType<typeof startTimeSkipping>>;
  let pump: PartOfEngine;
  let tenant: TestTenant;
  beforeAll(async () => {
    const database = await createTestDatabase();
    db = connect(database);
    tenant = await createTenant(db.admin);
    const workerUrl = database.urlFor('intent_worker');
    const { hostname: host, port } = new URL(workerUrl);
    proxy = await startTcpProxy({ host, port: Number(port) });
    workerPool = new pg.Pool({ connectionString: throughProxy(workerUrl, proxy) });
    workerPool.on('error', () => {});
    supplier = await startSupplier({ port: 0, stallMs: 1_500 });
    temporal = await startTimeSkipping({
      executable: search.executable!,
      db,
      workerPool,
      processManager: createOrderFulfilment(),
      supplierUrl: supplier.url,
    });
    // Who looks for lost workflows lists them, which this server does not.
    pump = await startTestPump({ temporal, database, db }, { patienceMs: 3_600_000, leaseSeconds: 3_600 });
    await submit('owner', openBudget('groceries', 1_000_000));
  });
  afterAll(async () => {
    await pump.stop();
    await temporal.stop();
    await supplier.stop();
    await workerPool.end();
    await proxy.stop();
    await db.end();
  });

  const submit = (role: Role, command: Parameters<typeof submitAs>[2]) => submitAs(db.admin, claimsOf(tenant, role), command);
  async function place(role: Role): Promise<string> {
    const aggregateId = randomUUID();
    const payload = { budgetId: 'groceries', lines: [{ item: 'Bread', quantity: 2, unitPrice: 350 }] };
    await submit(role, { type: 'PlaceOrder', aggregateType: 'order', aggregateId, payload });
    return aggregateId;
  }
  const workflow = (orderId: string) =>
    pump.client.workflow.getHandle(processWorkflowId({ tenantId: tenant.tenantId, process: 'order-fulfilment', key: orderId }));
  const timerOf = (orderId: string) => workflow(orderId).query<ProcessView>('progress').then(({ nextTimerAt }) => nextTimerAt, () => null);
  async function historyOf(orderId: string): Promise<string[]> {
    const { rows } = await db.admin.query<{ line: string }>(
      `select concat_ws(' ', type, payload ->> 'reason') as line from intent.events
       where tenant_id = $1 and (aggregate_id = $2 or payload ->> 'orderId' = $2) order by position`,
      [tenant.tenantId, orderId],
    );
    return rows.map(({ line }) => line);
  }
  async function statusOf(orderId: string): Promise<unknown> {
    const { rows } = await db.admin.query<{ status: string }>('select status from intent.processes where tenant_id = $1 and key = $2', [tenant.tenantId, orderId]);
    return rows[0]?.status;
  }

  it("a guest's order that nobody approves is rejected after 48 hours, and not before", async () => {
    const orderId = await place('guest');
    await expectSoon(() => timerOf(orderId)).not.toBeNull();
    await temporal.skip(47.9 * hourMs);
    expect(await historyOf(orderId)).toEqual(['OrderPlaced']);
    await temporal.skip(0.2 * hourMs);
    await expectSoon(() => historyOf(orderId)).toEqual(['OrderPlaced', 'OrderRejected approval expired']);
    await expectSoon(() => statusOf(orderId)).toBe('done');
  });

  it('a confirmed order is followed for 30 days, and its workflow ends then', async () => {
    const orderId = await place('member');
    await expectSoon(() => historyOf(orderId)).toContain('OrderConfirmed');
    await expectSoon(() => timerOf(orderId)).not.toBeNull();
    await temporal.skip(29.9 * 24 * hourMs);
    expect(await statusOf(orderId)).toBe('open');
    await temporal.skip(0.2 * 24 * hourMs);
    await expectSoon(() => statusOf(orderId)).toBe('done');
    await expectSoon(async () => (await workflow(orderId).describe()).status.name).toBe('COMPLETED');
  });

  it('a command is executed when the database is there again, be it after hours', async () => {
    proxy.become('closed');
    const { commandId } = await submit('owner', openBudget('late', 1_000));
    const read = () => db.admin.query<{ status: string; error: unknown }>('select status, error from intent.commands where command_id = $1', [commandId]);
    await expectSoon(async () => (await read()).rows[0]!.status).toBe('dispatched');
    await temporal.skip(1.5 * hourMs);
    expect((await read()).rows).toEqual([{ status: 'dispatched', error: null }]);
    proxy.become('open');
    await temporal.skip(30_000);
    await expectSoon(async () => (await read()).rows[0]!.status).toBe('succeeded');
  });

  // The occasions of Schedules are Temporal's own matter; those of the real server are compared in schedule-occasions.int.test.ts.
  it('there are no Schedules: this server does not know them', async () => {
    const creating = pump.client.schedule.create({
      scheduleId: 'daily',
      spec: { cronExpressions: ['0 6 * * *'] },
      action: { type: 'startWorkflow', workflowType: 'never', taskQueue: 'nobody' },
    });
    const code = await creating.then(() => 0, (error: unknown) => (error instanceof ServiceError && isGrpcServiceError(error.cause) ? error.cause.code : error));
    expect(code).toBe(unimplemented);
  });

  it.each([
    ['begins', '2027-03-26T12:00:00Z', ['2027-03-27T01:30:00Z', '2027-03-29T00:30:00Z', '2027-03-30T00:30:00Z']],
    ['ends', '2027-10-29T12:00:00Z', ['2027-10-30T00:30:00Z', '2027-10-31T01:30:00Z', '2027-11-01T01:30:00Z']],
  ])('each occasion of a schedule sends its command once where summer time %s', async (_what, from, expected) => {
    const [cron, timeZone] = ['30 2 * * *', 'Europe/Berlin'];
    const scheduleId = `daily-${from.slice(0, 10)}`;
    await queryAs(db.admin, claimsOf(tenant, 'owner'), 'select api.schedule_command($1, $2, $3, $4, $5, $6, $7)', [
      scheduleId, cron, 'OpenBudget', 'budget', `${scheduleId}-{date}`, JSON.stringify({ name: 'Daily', limit: 1 }), timeZone,
    ]);
    const { rows } = await db.admin.query<{ shown: { nextOccasions: string[] } }>('select intent.describe_occasions($1, $2, $3) as shown', [cron, timeZone, from]);
    const occasions = rows[0]!.shown.nextOccasions.slice(0, 3).map((time) => new Date(time));
    expect(occasions).toEqual(expected.map((time) => new Date(time)));

    // The server of Schedules starts a workflow for each, once or, after a fault, twice.
    const dueAt = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);
    for (const value of [...occasions, ...occasions]) {
      await pump.client.workflow.execute<typeof scheduledCommandWorkflow>('scheduledCommandWorkflow', {
        workflowId: randomUUID(),
        taskQueue: sharedQueues(1)[0]!,
        args: [{ tenantId: tenant.tenantId, scheduleId }],
        typedSearchAttributes: [{ key: dueAt, value }],
      });
    }
    const sent = await db.admin.query<{ aggregate_id: string }>(
      'select aggregate_id from intent.commands where tenant_id = $1 and aggregate_id like $2 order by aggregate_id collate "C"',
      [tenant.tenantId, `${scheduleId}-%`],
    );
    expect(sent.rows.map((row) => row.aggregate_id)).toEqual(expected.map((time) => `${scheduleId}-${time.slice(0, 10)}`));
  });
});
