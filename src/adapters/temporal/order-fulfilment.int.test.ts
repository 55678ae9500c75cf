import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Role } from '../../domain/kernel/message.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { type PartOfEngine, startProcessWorkers, startTestPump } from '../../testing/fulfilment-engine.ts';
import { needs } from '../../testing/needs.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../../testing/tenant.ts';
import { startTestTemporal } from '../../testing/temporal.ts';
import { processWorkflowId } from './workflow-starts.ts';
import type { ProcessView } from './workflows/process-workflow.ts';

const temporal = await startTestTemporal();

/** Two loaves. */
const total = 700;

/** As `expect.poll`, which tests that run at once cannot share. */
function eventually<Value>(read: () => Promise<Value>, check: (seen: Value) => void): Promise<void> {
  return vi.waitFor(async () => check(await read()), { timeout: 20_000, interval: 50 });
}

describe('order-fulfilment on Temporal', needs(temporal, 'there is no Temporal'), () => {
  let db: ReturnType<typeof connect>;
  let tenant: TestTenant;
  let pump: PartOfEngine;
  let workers: Awaited<ReturnType<typeof startProcessWorkers>>;
  beforeAll(async () => {
    const database = await createTestDatabase();
    db = connect(database);
    tenant = await createTenant(db.admin);
    const options = { temporal: temporal!, database, db };
    [workers, pump] = await Promise.all([startProcessWorkers(options), startTestPump(options)]);
    await submit('owner', openBudget('groceries', 1_000_000));
    await submit('owner', openBudget('tight', total - 1));
  });
  afterAll(async () => {
    await pump.stop();
    await workers.stop();
    await temporal!.stop();
    await db.end();
  });

  const submit = (role: Role, command: Parameters<typeof submitAs>[2]) => submitAs(db.admin, claimsOf(tenant, role), command);

  async function place(item: string, { role = 'member', budgetId = 'groceries' }: { role?: Role; budgetId?: string } = {}): Promise<string> {
    const aggregateId = randomUUID();
    const payload = { budgetId, lines: [{ item, quantity: 2, unitPrice: 350 }] };
    await submit(role, { type: 'PlaceOrder', aggregateType: 'order', aggregateId, payload });
    return aggregateId;
  }
  const about = (orderId: string, type: string) => ({ type, aggregateType: 'order', aggregateId: orderId, payload: {} });
  const workflow = (orderId: string) =>
    pump.client.workflow.getHandle(processWorkflowId({ tenantId: tenant.tenantId, process: 'order-fulfilment', key: orderId }));

  /** What has become of the order, in events, and of the budget for it. */
  async function historyOf(orderId: string): Promise<string[]> {
    const { rows } = await db.admin.query<{ line: string }>(
      `select concat_ws(' ', type, payload ->> 'reason') as line from intent.events
       where tenant_id = $1 and (aggregate_id = $2 or payload ->> 'orderId' = $2) order by position`,
      [tenant.tenantId, orderId],
    );
    return rows.map(({ line }) => line);
  }
  const expectHistory = (orderId: string, expected: string[]) => eventually(() => historyOf(orderId), (seen) => expect(seen).toEqual(expected));

  async function requestsAtSupplier(orderId: string): Promise<number[]> {
    const orders = (await (await fetch(`${workers.supplierUrl}/orders`)).json()) as { orderId: string; requests: number }[];
    return orders.filter((order) => order.orderId === orderId).map(({ requests }) => requests);
  }

  it.concurrent('takes an order to its delivery, and the workflow ends with it', async () => {
    const orderId = await place('Bread');
    const confirmed = ['OrderPlaced', 'BudgetReserved', 'BudgetSpent', 'OrderConfirmed'];
    await eventually(async () => (await historyOf(orderId)).toSorted(), (seen) => expect(seen).toEqual(confirmed.toSorted()));
    await submit('member', about(orderId, 'RecordDelivery'));
    expect(await workflow(orderId).result()).toBe('done');
    expect(await requestsAtSupplier(orderId)).toEqual([1]);
  });

  it.concurrent('tells whoever asks the workflow what it waits for', async () => {
    const orderId = await place('Bread', { role: 'guest' });
    await eventually(() => workflow(orderId).query<ProcessView>('progress').catch(() => undefined), (seen) => expect(seen).toMatchObject({ status: 'open', nextTimerAt: expect.any(String) }));
    await expectHistory(orderId, ['OrderPlaced', 'OrderRejected approval expired']);
    expect(await workflow(orderId).result()).toBe('done');
  });

  it.concurrent('goes on with an order of a guest as soon as it is approved', async () => {
    const orderId = await place('Bread', { role: 'guest' });
    await submit('owner', about(orderId, 'ApproveOrder'));
    await eventually(() => historyOf(orderId), (seen) => expect(seen).toContain('OrderConfirmed'));
  });

  it.concurrent.each([
    ['that the budget cannot bear', 'Bread', 'tight', ['BudgetReservationRefused', 'OrderRejected budget exceeded']],
    ['on a budget that nobody has opened', 'Bread', 'unopened', ['OrderRejected budget not open']],
    ['that the supplier refuses', '[refuse] Bread', 'groceries', ['BudgetReserved', 'BudgetReleased', 'OrderRejected supplier refused']],
    ['to which the supplier answers nonsense, each time', '[nonsense] Bread', 'groceries', ['BudgetReserved', 'BudgetReleased', 'OrderRejected supplier refused']],
  ])('rejects an order %s, and takes back what it has reserved', async (_what, item, budgetId, expected) => {
    const orderId = await place(item, { budgetId });
    await eventually(async () => (await historyOf(orderId)).toSorted(), (seen) => expect(seen).toEqual(['OrderPlaced', ...expected].toSorted()));
    expect(await workflow(orderId).result()).toBe('done');
  });

  it.concurrent.each([
    ['fails twice', '[flaky] Bread', 1],
    ['hangs up after it has accepted, and is asked again', '[twice] Bread', 2],
  ])('confirms an order once where the supplier %s', async (_what, item, requests) => {
    const orderId = await place(item);
    const confirmed = ['BudgetReserved', 'BudgetSpent', 'OrderConfirmed', 'OrderPlaced'];
    await eventually(async () => (await historyOf(orderId)).toSorted(), (seen) => expect(seen).toEqual(confirmed));
    expect(await requestsAtSupplier(orderId)).toEqual([requests]);
  });

  it.concurrent('releases the budget of an order that is cancelled while the supplier thinks', async () => {
    const orderId = await place('[stall] Bread');
    await expectHistory(orderId, ['OrderPlaced', 'BudgetReserved']);
    await eventually(() => workflow(orderId).query<ProcessView>('progress'), (seen) => expect(seen).toMatchObject({ openCalls: [{ callId: orderId, name: 'place-with-supplier' }] }));
    await submit('member', about(orderId, 'CancelOrder'));
    await expectHistory(orderId, ['OrderPlaced', 'BudgetReserved', 'OrderCancelled', 'BudgetReleased']);
    expect(await workflow(orderId).result()).toBe('done');
  });

  it.concurrent('ends a while after the confirmation, and begins once more where the order is cancelled then', async () => {
    const orderId = await place('Bread');
    await eventually(() => historyOf(orderId), (seen) => expect(seen).toContain('OrderConfirmed'));
    expect(await workflow(orderId).result()).toBe('done');
    await submit('owner', about(orderId, 'CancelOrder'));
    await eventually(() => historyOf(orderId), (seen) => expect(seen).toContain('BudgetReleased'));
    expect(await workflow(orderId).result()).toBe('done');
  });

  it.concurrent('undoes what it has done where its workflow is cancelled, and still comes to its end', async () => {
    const orderId = await place('[stall] Bread');
    await eventually(() => workflow(orderId).query<ProcessView>('progress').catch(() => undefined), (seen) => expect(seen).toMatchObject({ openCalls: [{}] }));
    await workflow(orderId).cancel();
    await eventually(() => historyOf(orderId), (seen) => expect(seen).toContain('BudgetReleased'));
    expect(await workflow(orderId).result()).toBe('done');
  });

  it.concurrent('is started again where its workflow was terminated, and loses nothing', async () => {
    const orderId = await place('Bread', { role: 'guest' });
    await eventually(() => workflow(orderId).query<ProcessView>('progress').catch(() => undefined), (seen) => expect(seen).toMatchObject({ nextTimerAt: expect.any(String) }));
    await workflow(orderId).terminate();
    await submit('owner', about(orderId, 'ApproveOrder'));
    await eventually(() => historyOf(orderId), (seen) => expect(seen).toContain('OrderConfirmed'));
  });

  it.concurrent('keeps payloads out of the history of its workflow', async () => {
    const orderId = await place('Secret bread');
    await eventually(() => historyOf(orderId), (seen) => expect(seen).toContain('OrderConfirmed'));
    const history = JSON.stringify(await workflow(orderId).fetchHistory(), (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value));
    expect(history).toContain(orderId);
    expect(history).not.toMatch(/Secret bread|groceries/);
  });
});
