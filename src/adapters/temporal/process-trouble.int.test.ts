import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProcessManager } from '../../domain/kernel/process.ts';
import { createOrderFulfilment } from '../../domain/order-fulfilment/order-fulfilment.ts';
import { append } from '../../testing/appends.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { type PartOfEngine, startProcessWorkers, startTestPump } from '../../testing/fulfilment-engine.ts';
import { needs } from '../../testing/needs.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, submitAs, type TestTenant } from '../../testing/tenant.ts';
import { startTestTemporal } from '../../testing/temporal.ts';
import { processWorkflowId } from './workflow-starts.ts';

const temporal = await startTestTemporal();
const sound = createOrderFulfilment({ approvalSeconds: 60, deliverySeconds: 1 }) as ProcessManager;

describe('process managers on Temporal, in trouble', needs(temporal, 'there is no Temporal'), () => {
  let db: ReturnType<typeof connect>;
  let tenant: TestTenant;
  let pump: PartOfEngine;
  let workers: Awaited<ReturnType<typeof startProcessWorkers>>;
  /** What each instance reacted to, in order, by its key. */
  const told = new Map<string, string[]>();
  /** Whose key this is, a bug has. */
  let bugOf: string | undefined;
  const processManager: ProcessManager = {
    ...sound,
    react(state, reaction, { key }) {
      if (key === bugOf) throw new TypeError('lines is not iterable');
      const what = reaction.kind === 'event' ? reaction.event.type : reaction.kind;
      told.set(key, [...(told.get(key) ?? []), reaction.kind === 'outcome' ? `${reaction.type} ${reaction.status}` : what]);
      return sound.react(state, reaction, { key });
    },
  };

  beforeAll(async () => {
    const database = await createTestDatabase();
    db = connect(database);
    tenant = await createTenant(db.admin);
    const options = { temporal: temporal!, database, db, processManager };
    [workers, pump] = await Promise.all([startProcessWorkers(options), startTestPump(options)]);
    await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('groceries', 1_000_000));
  });
  afterAll(async () => {
    await pump.stop();
    await workers.stop();
    await temporal!.stop();
    await db.end();
  });

  async function place(role: 'member' | 'guest' = 'member'): Promise<string> {
    const order = placeOrder();
    await submitAs(db.admin, claimsOf(tenant, role), order);
    return order.aggregateId;
  }
  const referenceTo = (key: string) => ({ tenantId: tenant.tenantId, process: 'order-fulfilment', key });
  async function instance(key: string) {
    const { rows } = await db.admin.query<{ status: string; step: string }>('select status, step from intent.processes where key = $1', [key]);
    return rows[0];
  }
  const expectStatus = (key: string, status: string) => expect.poll(async () => (await instance(key))?.status, { timeout: 25_000 }).toBe(status);
  async function countOf(statement: string): Promise<number> {
    const { rows } = await db.admin.query<{ count: number }>(`select count(*)::int as count from ${statement}`);
    return rows[0]!.count;
  }

  const wholeWay = ['OrderPlaced', 'BudgetReserved', 'ReserveBudget succeeded', 'answer', 'SpendBudget succeeded', 'ConfirmOrder succeeded', 'timer'];

  it('come to their ends, 10 on one budget, while somebody else writes to it past the queue', { timeout: 60_000 }, async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => place()));
    let written = 0;
    for (; (await countOf(`intent.events where type = 'BudgetSpent'`)) < keys.length / 2; written += 1) {
      const events = [{ type: 'BudgetLimitChanged', payload: { limit: 1_000_000 + written } }];
      await append(db.worker, tenant.tenantId, { aggregateType: 'budget', aggregateId: 'groceries', expectedVersion: null, events });
    }
    const everything = `
      (select status from intent.commands union all select status from intent.processes union all select 'reaction' from intent.reactions) as one`;
    await expect.poll(() => countOf(`${everything} where status not in ('succeeded', 'done')`), { timeout: 30_000 }).toBe(0);
    expect(written).toBeGreaterThan(keys.length);

    for (const key of keys) expect(told.get(key)?.toSorted()).toEqual(wholeWay.toSorted());
    const { rows } = await db.admin.query(`
      select count(*)::int as events, max(version)::int as last_version, count(distinct version)::int as versions,
             count(*) filter (where type = 'BudgetReserved')::int as reserved, count(*) filter (where type = 'BudgetSpent')::int as spent
      from intent.events where aggregate_id = 'groceries'`);
    const events = 1 + written + 2 * keys.length;
    expect(rows).toEqual([{ events, last_version: events, versions: events, reserved: keys.length, spent: keys.length }]);
  });

  it('take each reaction in once where they are woken 50 times at once, and nothing where there is nothing', { timeout: 120_000 }, async () => {
    const key = await place('guest');
    await expect.poll(async () => (await instance(key))?.step).toBe('1');
    const claimed = { ...referenceTo(key), isolation: 'shared', fairnessWeight: 1, correlationId: null } as const;
    const wakeOften = () => Promise.all(Array.from({ length: 50 }, () => pump.engine.waker.wake(claimed)));
    await wakeOften();
    const workflow = pump.client.workflow.getHandle(processWorkflowId(referenceTo(key)));
    // It answers after it has dealt with all signals before.
    await workflow.query('progress');
    expect(await instance(key)).toMatchObject({ step: '1', status: 'open' });

    await submitAs(db.admin, claimsOf(tenant, 'owner'), { type: 'ApproveOrder', aggregateType: 'order', aggregateId: key, payload: {} });
    // Again and again, with a pause: without one the signals leave a busy machine no time for what they are to disturb.
    const confirmed = async () => {
      await wakeOften();
      return told.get(key)?.includes('ConfirmOrder succeeded');
    };
    await expect.poll(confirmed, { timeout: 100_000, interval: 250 }).toBe(true);
    await expectStatus(key, 'done');
    expect(told.get(key)?.toSorted()).toEqual([...wholeWay, 'OrderApproved'].toSorted());
    expect(Number((await instance(key))?.step)).toBeLessThanOrEqual(wholeWay.length + 1);
    expect(await countOf(`intent.events where payload ->> 'orderId' = '${key}'`)).toBe(2);
  });

  it('are set aside with the reason where one throws, others go on, and after the fix an operator has it go on', { timeout: 60_000 }, async () => {
    const broken = placeOrder();
    bugOf = broken.aggregateId;
    await submitAs(db.admin, claimsOf(tenant, 'member'), broken);
    const other = await place();
    await expectStatus(broken.aggregateId, 'failed');
    const { rows } = await db.operator.query('select process, key, error from intent.failed_processes');
    expect(rows).toEqual([{ process: 'order-fulfilment', key: broken.aggregateId, error: { name: 'TypeError', message: 'lines is not iterable' } }]);
    const ended = await pump.client.workflow.getHandle(processWorkflowId(referenceTo(broken.aggregateId))).result().catch((error: unknown) => error);
    expect(ended).toMatchObject({ cause: { message: 'The process has failed; an operator may retry it' } });
    await expectStatus(other, 'done');

    bugOf = undefined;
    await db.operator.query('select intent.retry_process($1, $2, $3)', [tenant.tenantId, 'order-fulfilment', broken.aggregateId]);
    await expectStatus(broken.aggregateId, 'done');
    expect(told.get(broken.aggregateId)?.toSorted()).toEqual(wholeWay.toSorted());
  });
});
