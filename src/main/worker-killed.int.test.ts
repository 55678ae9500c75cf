import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { startSupplier } from '../../examples/supplier/supplier.ts';
import type { Role } from '../domain/kernel/message.ts';
import { clusterVariables } from '../testing/cluster/cluster-variables.ts';
import { createTestDatabase } from '../testing/database.ts';
import { endWithFile } from '../testing/end-with-file.ts';
import { needs } from '../testing/needs.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs } from '../testing/tenant.ts';
import { startTestTemporal } from '../testing/temporal.ts';
import { chooseTestPort } from '../testing/test-port.ts';

const temporal = await startTestTemporal();

it('a worker that is killed in the midst of everything leaves nothing undone or done twice', { ...needs(temporal, 'there is no Temporal'), timeout: 60_000 }, async () => {
  const database = await createTestDatabase();
  const db = connect(database);
  const tenant = await createTenant(db.admin);
  const supplier = await startSupplier({ port: 0, stallMs: 1_500 });
  const submit = (role: Role, command: Parameters<typeof submitAs>[2]) => submitAs(db.admin, claimsOf(tenant, role), command);
  async function place(item: string, role: Role = 'member'): Promise<string> {
    const aggregateId = randomUUID();
    await submit(role, { type: 'PlaceOrder', aggregateType: 'order', aggregateId, payload: { budgetId: 'groceries', lines: [{ item, quantity: 1, unitPrice: 1 }] } });
    return aggregateId;
  }
  async function historyOf(orderId: string): Promise<string[]> {
    const { rows } = await db.admin.query<{ type: string }>(
      `select type from intent.events where tenant_id = $1 and (aggregate_id = $2 or payload ->> 'orderId' = $2) order by position`,
      [tenant.tenantId, orderId],
    );
    return rows.map(({ type }) => type);
  }

  const env = {
    ...clusterVariables(), PATH: process.env['PATH'], LOG_LEVEL: 'error', INTENT_TASK_QUEUES: '1', INTENT_PUMP: 'embedded', SUPPLIER_URL: supplier.url,
    TEMPORAL_ADDRESS: temporal!.address, DATABASE_URL: database.urlFor('intent_worker'), PUMP_DATABASE_URL: database.urlFor('intent_pump'),
  };
  const healthPort = await chooseTestPort();
  const startWorker = (): ChildProcess => {
    const child = spawn(process.execPath, ['src/main/worker.ts'], { env: { ...env, HEALTH_PORT: String(healthPort) }, stdio: 'inherit' });
    endWithFile(child);
    return child;
  };

  await submit('owner', openBudget('groceries'));
  const [waiting, calling] = [await place('Bread', 'guest'), await place('[stall] Bread')];
  const first = startWorker();
  await expect.poll(() => historyOf(calling), { timeout: 30_000 }).toContain('BudgetReserved');
  const killed = once(first, 'exit');
  first.kill('SIGKILL');
  await killed;

  const placedMeanwhile = await place('Bread');
  await submit('owner', { type: 'ApproveOrder', aggregateType: 'order', aggregateId: waiting, payload: {} });
  const second = startWorker();
  for (const orderId of [waiting, calling, placedMeanwhile]) {
    await expect.poll(async () => (await historyOf(orderId)).filter((type) => type !== 'OrderApproved').toSorted(), { timeout: 45_000 })
      .toEqual(['BudgetReserved', 'BudgetSpent', 'OrderConfirmed', 'OrderPlaced']);
  }
  const ended = once(second, 'exit');
  second.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  await supplier.stop();
  await temporal!.stop();
  await db.end();
});
