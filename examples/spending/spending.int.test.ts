import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { append } from '../../src/testing/appends.ts';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database.ts';
import { connect, createTenant } from '../../src/testing/tenant.ts';

let database: TestDatabase;
let db: ReturnType<typeof connect>;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
});
afterAll(() => db.end());

const orderId = '0197a000-0000-7000-8000-0000000000a1';

it('the example keeps what a household spends, as a process of its own that ends at SIGTERM', async () => {
  const { tenantId } = await createTenant(db.admin);
  const events = [
    { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 5_000 } },
    { type: 'BudgetReserved', payload: { orderId, amount: 700 } },
    { type: 'BudgetSpent', payload: { orderId, amount: 700 } },
    { type: 'BudgetSpent', payload: { orderId, amount: 35 } },
  ];
  await append(db.worker, tenantId, { aggregateType: 'budget', aggregateId: 'groceries', expectedVersion: 0, events });

  const example = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { ...process.env, DATABASE_URL: database.urlFor('intent_worker'), SPENDING_DATABASE_URL: database.adminUrl },
    stdio: 'inherit',
  });
  onTestFinished(() => void example.kill('SIGKILL'));
  const ended = once(example, 'exit');
  await expect.poll(checkpoint, { timeout: 20_000, interval: 50 }).toBe('4');
  example.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  const { rows } = await db.admin.query('select tenant_id, cents from spending_by_week');
  expect(rows).toEqual([{ tenant_id: tenantId, cents: '735' }]);

  async function checkpoint() {
    const { rows: checkpoints } = await db.admin.query<{ position: string }>(`select position from intent.checkpoints where tenant_id = $1`, [tenantId]);
    return checkpoints[0]?.position;
  }
});
