import { expect, it } from 'vitest';
import { startTemporal } from '../../local/temporal/start-temporal.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { startProcessWorkers, startTestPump } from '../../testing/fulfilment-engine.ts';
import { createScratchDirectory } from '../../testing/scratch-directory.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, submitAs } from '../../testing/tenant.ts';
import { chooseTestPort } from '../../testing/test-port.ts';

const scratch = await createScratchDirectory();
const [port, uiPort] = [await chooseTestPort(), await chooseTestPort()];
const env = { ...process.env, TEMPORAL_ADDRESS: undefined };
const start = (name: string) => startTemporal({ directory: `${scratch.path}/${name}/temporal`, port, uiPort, env, log: console.log });
const first = await start('first');

it.skipIf(first === undefined)('commands and process managers go on by themselves on a Temporal that has forgotten everything', { timeout: 60_000 }, async () => {
  const database = await createTestDatabase();
  const db = connect(database);
  const tenant = await createTenant(db.admin);
  const options = { temporal: first!, database, db };
  const pump = await startTestPump(options, { leaseSeconds: 1 });
  const submit = (command: Parameters<typeof submitAs>[2]) => submitAs(db.admin, claimsOf(tenant, 'owner'), command);
  async function typesOf(aggregateId: string): Promise<string[]> {
    const { rows } = await db.admin.query<{ type: string }>('select type from intent.events where aggregate_id = $1 order by version', [aggregateId]);
    return rows.map(({ type }) => type);
  }

  const workers = await startProcessWorkers(options);
  const order = placeOrder();
  await submitAs(db.admin, claimsOf(tenant, 'guest'), order);
  await expect.poll(() => typesOf(order.aggregateId), { timeout: 15_000 }).toEqual(['OrderPlaced']);
  await workers.stop();
  await submit({ type: 'ApproveOrder', aggregateType: 'order', aggregateId: order.aggregateId, payload: {} });
  const { commandId } = await submit(openBudget('another'));
  const statusOf = async () => (await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId])).rows[0]?.status;
  await expect.poll(statusOf, { timeout: 15_000 }).toBe('dispatched');
  await first!.stop();

  const second = await start('second');
  const later = await startProcessWorkers({ ...options, temporal: second! });
  await expect.poll(statusOf, { timeout: 20_000 }).toBe('succeeded');
  await expect.poll(() => typesOf(order.aggregateId), { timeout: 20_000 }).toEqual(['OrderPlaced', 'OrderApproved', 'OrderRejected']);

  await pump.stop();
  await later.stop();
  await second!.stop();
  await db.end();
  scratch.remove();
});
