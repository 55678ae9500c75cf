import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createHandleBatch } from '../../application/handle-batch.ts';
import { createHandleCommand } from '../../application/handle-command.ts';
import { createSnapshotWriter } from '../../application/snapshot-writer.ts';
import { append, noted } from '../../testing/appends.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { expectSoon } from '../../testing/expect-soon.ts';
import { createProcessRunner } from '../../testing/processes.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, queryAs, submitAs, type TestTenant } from '../../testing/tenant.ts';
import { systemClock } from '../system/clock.ts';
import { createCommandQueue } from './command-queue.ts';
import { createCommandStore } from './command-store.ts';

let db: ReturnType<typeof connect>;
let tenant: TestTenant;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
beforeEach(async () => {
  tenant = await createTenant(db.admin);
});
afterAll(() => db.end());

const submit = () => submitAs(db.admin, claimsOf(tenant, 'member'), placeOrder());
const cancel = (commandId: string, reason: string | null = 'sent by mistake') =>
  db.operator.query('select intent.cancel_command($1, $2, $3)', [tenant.tenantId, commandId, reason]);
const cancelProcess = (key: string, reason: string | null = 'the customer has called') =>
  db.operator.query('select intent.cancel_process($1, $2, $3, $4)', [tenant.tenantId, 'order-fulfilment', key, reason]);
const claim = async () => (await createCommandQueue({ pool: db.pump, pumpName: 'test' }).claim(100)).find(({ tenantId }) => tenantId === tenant.tenantId);
const markDispatched = async (commandId: string, token: string) =>
  (await db.pump.query<{ marked: boolean }>('select intent.mark_dispatched($1, $2, $3) as marked', [tenant.tenantId, commandId, token])).rows[0]!.marked;

async function command(commandId: string) {
  const { rows } = await db.admin.query<{ status: string; outcome: { code?: string } | null }>(
    'select status, outcome from intent.commands where tenant_id = $1 and command_id = $2',
    [tenant.tenantId, commandId],
  );
  return rows[0]!;
}
async function logged(action: string) {
  const { rows } = await db.admin.query<{ asked_by: string; details: unknown }>(
    'select asked_by, details from intent.operator_log where tenant_id = $1 and action = $2',
    [tenant.tenantId, action],
  );
  return rows;
}
const cancelled = { code: 'CANCELLED', message: 'An operator has cancelled the command.', details: {} };

describe('a pending command that an operator cancels', () => {
  it('is rejected as CANCELLED, which its submitter is told, with the reason in the log', async () => {
    const { commandId } = await submit();
    await cancel(commandId);
    await cancel(commandId, 'again');
    const [answer] = await queryAs<{ answer: unknown }>(db.admin, claimsOf(tenant, 'member'), 'select api.get_command($1) as answer', [commandId]);
    expect(answer).toEqual({ answer: { commandId, status: 'rejected', duplicate: false, outcome: cancelled } });
    expect(await logged('cancel_command')).toEqual([{ asked_by: 'intent_operator', details: { commandId, reason: 'sent by mistake' } }]);
    expect(await claim()).toBeUndefined();
  });

  it('holds up no other of its aggregate any more', async () => {
    const order = placeOrder();
    const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'member'), order);
    const { commandId: next } = await submitAs(db.admin, claimsOf(tenant, 'member'), { ...order, payload: { ...order.payload, budgetId: 'other' } });
    await cancel(commandId);
    expect(await claim()).toMatchObject({ commandId: next });
  });

  it('is told to the process that sent it, as a rejection', async () => {
    const { settle, advance } = createProcessRunner(db, tenant.tenantId);
    const order = placeOrder();
    await submitAs(db.admin, claimsOf(tenant, 'guest'), order);
    await settle();
    await submitAs(db.admin, claimsOf(tenant, 'owner'), { type: 'ApproveOrder', aggregateType: 'order', aggregateId: order.aggregateId, payload: {} });
    // The step that reserves, and not the reservation.
    const handled = await claim();
    const events = [{ type: 'OrderApproved', payload: {} }];
    const approval = { aggregateType: 'order', aggregateId: order.aggregateId, expectedVersion: null, events, commandId: handled!.commandId };
    await append(db.worker, tenant.tenantId, approval);
    await advance({ tenantId: tenant.tenantId, process: 'order-fulfilment', key: order.aggregateId });
    const { rows } = await db.admin.query<{ command_id: string }>(`select command_id from intent.commands where tenant_id = $1 and type = 'ReserveBudget'`, [tenant.tenantId]);
    await cancel(rows[0]!.command_id);
    await settle();
    const { rows: orders } = await db.admin.query('select status from intent.orders where tenant_id = $1', [tenant.tenantId]);
    expect(orders).toEqual([{ status: 'rejected' }]);
  });

  it.each(['dispatched', 'succeeded', 'failed', 'rejected'])('must be pending: one that is %s is left as it is', async (status) => {
    const { commandId } = await submit();
    const { fencingToken } = (await claim())!;
    if (status === 'dispatched') await markDispatched(commandId, fencingToken);
    const settlement = { aggregateType: 'order', aggregateId: await aggregateOf(commandId), expectedVersion: null, events: [noted()], commandId };
    if (status === 'succeeded') await append(db.worker, tenant.tenantId, settlement);
    if (status === 'failed') await db.worker.query('select intent.fail_command($1, $2, $3)', [tenant.tenantId, commandId, '{}']);
    const refusal = [tenant.tenantId, commandId, 'NOT_ALLOWED', 'No.', '{}'];
    if (status === 'rejected') await db.worker.query('select intent.reject_command($1, $2, $3, $4, $5)', refusal);
    const before = await command(commandId);
    expect(before.status).toBe(status);
    await expect(cancel(commandId)).rejects.toMatchObject({ code: 'IN410', message: `only a pending command can be cancelled; this one is ${status}` });
    expect(await command(commandId)).toEqual(before);
    expect(await logged('cancel_command')).toEqual([]);
  });

  it.each([[null], [''], ['  '], ['x'.repeat(1_001)]])('needs a reason (not %.20s)', async (reason) => {
    const { commandId } = await submit();
    await expect(cancel(commandId, reason)).rejects.toMatchObject({ code: 'IN422' });
    expect(await command(commandId)).toMatchObject({ status: 'pending' });
  });

  it('must be there, and in the tenant that is named', async () => {
    const other = await createTenant(db.admin);
    const { commandId } = await submitAs(db.admin, claimsOf(other, 'member'), placeOrder());
    await expect(cancel(commandId)).rejects.toMatchObject({ code: 'IN404' });
    await expect(cancel(randomUUID())).rejects.toMatchObject({ code: 'IN404' });
  });

  it('is for operators to cancel, and for nobody else', async () => {
    const { commandId } = await submit();
    const statement = `select intent.cancel_command('${tenant.tenantId}', '${commandId}', 'because')`;
    await expect(queryAs(db.admin, claimsOf(tenant, 'owner'), statement)).rejects.toMatchObject({ code: '42501' });
    for (const pool of [db.worker, db.pump]) await expect(pool.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  type Act = 'cancel' | 'execute' | 'reject' | 'mark';
  const cases: readonly (readonly [Act, Act, string])[] = [
    ['cancel', 'execute', 'rejected'],
    ['execute', 'cancel', 'succeeded'],
    ['cancel', 'reject', 'rejected'],
    ['reject', 'cancel', 'rejected'],
    ['mark', 'cancel', 'dispatched'],
  ];
  it.each(cases)('has one outcome: %s has begun, and %s must wait for its end', async (first, second, status) => {
    const { commandId } = await submit();
    const { fencingToken } = (await claim())!;
    const aggregateId = await aggregateOf(commandId);
    const acts: Record<Act, readonly [pg.Pool, (client: pg.ClientBase) => Promise<unknown>]> = {
      cancel: [db.operator, (client) => client.query('select intent.cancel_command($1, $2, $3)', [tenant.tenantId, commandId, 'late'])],
      execute: [db.worker, (client) => append(client, tenant.tenantId, { aggregateType: 'order', aggregateId, expectedVersion: 0, events: [noted()], commandId })],
      reject: [db.worker, (client) => client.query('select intent.reject_command($1, $2, $3, $4, $5)', [tenant.tenantId, commandId, 'NOT_ALLOWED', 'No.', '{}'])],
      mark: [db.pump, (client) => client.query('select intent.mark_dispatched($1, $2, $3) as marked', [tenant.tenantId, commandId, fencingToken])],
    };
    const [[firstPool, begin], [secondPool, follow]] = [acts[first], acts[second]];
    const [one, two] = await Promise.all([firstPool.connect(), secondPool.connect()]);
    onTestFinished(() => [one, two].forEach((client) => client.release(true)));

    await one.query('begin');
    await begin(one);
    const { rows: sessions } = await two.query<{ pid: number }>('select pg_backend_pid() as pid');
    const following = follow(two).then((result) => ({ result }), (error: unknown) => ({ error }));
    const waits = () => db.admin.query('select from pg_stat_activity where pid = $1 and wait_event_type = $2', [sessions[0]!.pid, 'Lock']);
    await expectSoon(async () => (await waits()).rows.length).toBe(1);
    await one.query('commit');

    const followed = await following;
    expect(followed).toMatchObject({ error: { code: 'IN410' } });
    const isCancelled = first === 'cancel';
    expect(await command(commandId)).toMatchObject({ status, ...(isCancelled && { outcome: cancelled }) });
    const { rows } = await db.admin.query('select from intent.events where tenant_id = $1', [tenant.tenantId]);
    expect(rows).toHaveLength(first === 'execute' ? 1 : 0);
    expect(await logged('cancel_command')).toHaveLength(isCancelled ? 1 : 0);
  });

  it('is marked as dispatched by nobody, while it is being cancelled or afterwards', async () => {
    const { commandId } = await submit();
    const { fencingToken } = (await claim())!;
    const operator = await db.operator.connect();
    onTestFinished(() => operator.release(true));
    await operator.query('begin');
    await operator.query('select intent.cancel_command($1, $2, $3)', [tenant.tenantId, commandId, 'late']);
    expect(await markDispatched(commandId, fencingToken)).toBe(false);
    await operator.query('commit');
    expect(await markDispatched(commandId, fencingToken)).toBe(false);
    expect(await command(commandId)).toMatchObject({ status: 'rejected', outcome: cancelled });
  });

  it('is not executed where its workflow or its batch has begun before', async () => {
    const commandIds = [(await submit()).commandId, (await submit()).commandId];
    await claim();
    for (const commandId of commandIds) await cancel(commandId);
    const store = createCommandStore({ pool: db.worker });
    const deps = { store, snapshots: createSnapshotWriter({ store, log: pino({ level: 'silent' }) }), clock: systemClock };
    expect(await createHandleCommand(deps)({ tenantId: tenant.tenantId, commandId: commandIds[0]! })).toBe('rejected');
    await createHandleBatch(deps)(tenant.tenantId, commandIds);
    for (const commandId of commandIds) expect(await command(commandId)).toMatchObject({ status: 'rejected', outcome: cancelled });
    expect((await db.admin.query('select from intent.events where tenant_id = $1', [tenant.tenantId])).rows).toEqual([]);
  });
});

async function aggregateOf(commandId: string): Promise<string> {
  const { rows } = await db.admin.query<{ aggregate_id: string }>('select aggregate_id from intent.commands where command_id = $1', [commandId]);
  return rows[0]!.aggregate_id;
}

describe('a process that an operator cancels', () => {
  async function placed(by: 'guest' | 'member') {
    const runner = createProcessRunner(db, tenant.tenantId);
    const order = placeOrder();
    await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('groceries'));
    await submitAs(db.admin, claimsOf(tenant, by), order);
    await runner.settle();
    return { ...runner, key: order.aggregateId };
  }

  it('undoes what it has done, with the reason in the log', async () => {
    const { key, settle } = await placed('guest');
    await cancelProcess(key);
    await settle();
    const { rows } = await db.admin.query(
      'select o.status, p.status as process from intent.orders as o join intent.processes as p on p.tenant_id = o.tenant_id and p.key = o.order_id where o.tenant_id = $1',
      [tenant.tenantId],
    );
    expect(rows).toEqual([{ status: 'rejected', process: 'done' }]);
    expect(await logged('cancel_process')).toEqual([
      { asked_by: 'intent_operator', details: { process: 'order-fulfilment', key, reason: 'the customer has called' } },
    ]);
  });

  it('that has failed is cancelled when it is retried', async () => {
    const { key, settle, store } = await placed('guest');
    await store.fail({ tenantId: tenant.tenantId, process: 'order-fulfilment', key }, { name: 'Error', message: 'why' });
    await cancelProcess(key);
    await db.operator.query('select intent.retry_process($1, $2, $3)', [tenant.tenantId, 'order-fulfilment', key]);
    await settle();
    const { rows } = await db.admin.query('select status from intent.processes where tenant_id = $1', [tenant.tenantId]);
    expect(rows).toEqual([{ status: 'done' }]);
  });

  it('must not have ended', async () => {
    const { key, settle } = await placed('guest');
    await cancelProcess(key);
    await settle();
    await expect(cancelProcess(key)).rejects.toMatchObject({ code: 'IN410' });
    expect(await logged('cancel_process')).toHaveLength(1);
  });

  it.each([[null], [' ']])('needs a reason: not %j', async (reason) => {
    const { key } = await placed('guest');
    await expect(cancelProcess(key, reason)).rejects.toMatchObject({ code: 'IN422' });
  });

  it('must be there', async () => {
    await expect(cancelProcess(randomUUID())).rejects.toMatchObject({ code: 'IN404' });
  });
});
