import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../domain/kernel/message.ts';
import type { ProcessManager } from '../../domain/kernel/process.ts';
import { createOrderFulfilment } from '../../domain/order-fulfilment/order-fulfilment.ts';
import { type RunningTemporal, startTemporal } from '../../local/temporal/start-temporal.ts';
import { misnumbered } from '../../testing/appends.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { type PartOfEngine, startProcessWorkers, startTestPump } from '../../testing/fulfilment-engine.ts';
import { needs } from '../../testing/needs.ts';
import { createScratchDirectory } from '../../testing/scratch-directory.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, submitAs, type TestTenant } from '../../testing/tenant.ts';
import { chooseTestPort } from '../../testing/test-port.ts';
import { processWorkflowId } from './workflow-starts.ts';

const scratch = await createScratchDirectory();
const [port, uiPort] = [await chooseTestPort(), await chooseTestPort()];
const env = { ...process.env, TEMPORAL_ADDRESS: undefined };
/** On the same address each time. */
const start = (name: string) => startTemporal({ directory: `${scratch.path}/${name}/temporal`, port, uiPort, env, log: console.log });
const first = await start('first');
const processManager = createOrderFulfilment({ approvalSeconds: 6, deliverySeconds: 1 }) as ProcessManager;

describe('commands and process managers, by themselves', needs(first, 'there is no Temporal'), () => {
  let server: RunningTemporal;
  let db: ReturnType<typeof connect>;
  let tenant: TestTenant;
  let pump: PartOfEngine;
  let workers: Awaited<ReturnType<typeof startProcessWorkers>>;
  const startWorkers = () => startProcessWorkers({ temporal: server, db, processManager });
  beforeAll(async () => {
    server = first!;
    const database = await createTestDatabase();
    db = connect(database);
    pump = await startTestPump({ temporal: server, database, db }, { leaseSeconds: 1 });
    workers = await startWorkers();
  });
  beforeEach(async () => {
    tenant = await createTenant(db.admin);
  });
  afterAll(async () => {
    await pump.stop();
    await workers.stop();
    await server.stop();
    await db.end();
    scratch.remove();
  });

  const submit = (command: Parameters<typeof submitAs>[2], role: Role = 'owner') => submitAs(db.admin, claimsOf(tenant, role), command);
  async function typesOf(aggregateId: string): Promise<string[]> {
    const { rows } = await db.admin.query<{ type: string }>('select type from intent.events where aggregate_id = $1 order by version', [aggregateId]);
    return rows.map(({ type }) => type);
  }
  async function countCommands(status: string): Promise<number> {
    const statement = 'select count(*)::int as count from intent.commands where tenant_id = $1 and status = $2';
    const { rows } = await db.admin.query<{ count: number }>(statement, [tenant.tenantId, status]);
    return rows[0]!.count;
  }

  it('go on where Temporal is killed in the midst of many, with a timer running, and comes back with its data', { timeout: 60_000 }, async () => {
    const order = placeOrder();
    await submit(order, 'guest');
    const saga = pump.client.workflow.getHandle(processWorkflowId({ ...tenant, process: 'order-fulfilment', key: order.aggregateId }));
    await expect.poll(() => saga.query('progress').catch(() => undefined), { timeout: 15_000 }).toMatchObject({ nextTimerAt: expect.any(String) });
    const { runId } = await saga.describe();
    await Promise.all(Array.from({ length: 100 }, (_, n) => submit(openBudget(`budget-${n}`))));
    await expect.poll(() => countCommands('succeeded'), { timeout: 15_000, interval: 10 }).toBeGreaterThan(10);
    process.kill(server.pid!, 'SIGKILL');
    await server.stop();
    expect(await countCommands('succeeded')).toBeLessThan(101);
    expect(await typesOf(order.aggregateId)).toEqual(['OrderPlaced']);

    server = (await start('first'))!;
    await expect.poll(() => countCommands('succeeded'), { timeout: 30_000 }).toBe(102);
    expect(await typesOf(order.aggregateId)).toEqual(['OrderPlaced', 'OrderRejected']);
    // The workflow from before, and not another in its place.
    expect(await saga.result()).toBe('done');
    expect((await saga.describe()).runId).toBe(runId);
    const { rows } = await db.admin.query(`
      select count(*)::int as events, count(distinct aggregate_id)::int as budgets
      from intent.events where aggregate_type = 'budget'`);
    expect(rows).toEqual([{ events: 100, budgets: 100 }]);
    expect(await misnumbered(db.admin)).toEqual([]);
  });

  it('go on where Temporal has forgotten everything', { timeout: 60_000 }, async () => {
    const order = placeOrder();
    await submit(order, 'guest');
    await expect.poll(() => typesOf(order.aggregateId), { timeout: 15_000 }).toEqual(['OrderPlaced']);
    await workers.stop();
    await submit({ type: 'ApproveOrder', aggregateType: 'order', aggregateId: order.aggregateId, payload: {} });
    await submit(openBudget('another'));
    await expect.poll(() => countCommands('dispatched'), { timeout: 15_000 }).toBe(2);
    await server.stop();

    server = (await start('second'))!;
    workers = await startWorkers();
    await expect.poll(() => typesOf('another'), { timeout: 20_000 }).toEqual(['BudgetOpened']);
    await expect.poll(() => typesOf(order.aggregateId), { timeout: 20_000 }).toEqual(['OrderPlaced', 'OrderApproved', 'OrderRejected']);
  });
});
