import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { startMainProcess } from '../testing/main-process.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../testing/tenant.ts';

// A deploy, in which the migration comes before or after the release that needs it.
let database: TestDatabase;
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  tenant = await createTenant(db.admin);
});
afterAll(() => db.end());

const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 50 });
const execute = 'intent.settle_batch(uuid, jsonb)';

// With the inline engine one process is worker and pump.
it('commands wait while a function is missing that executes them, /readyz names it, and they go on when it is there', async () => {
  const worker = await startMainProcess('worker', database, { INTENT_ENGINE: 'inline' });
  await worker.ready();
  await db.admin.query(`alter function ${execute} rename to of_another_release`);
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('waits'));
  const statusOf = async () => (await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId])).rows[0]?.status;
  await eventually(async () => expect(worker.lines.some(({ err }) => JSON.stringify(err)?.includes('older or newer'))).toBe(true));
  const readiness = await worker.get('/readyz');
  expect(readiness?.status).toBe(503);
  expect(await readiness!.text()).toContain('its schema is older or newer than this release (settle_batch)');
  expect(await statusOf()).toBe('pending');
  await db.admin.query(`alter function intent.of_another_release(uuid, jsonb) rename to settle_batch`);
  await eventually(async () => expect(await statusOf()).toBe('succeeded'));
  await worker.ready();
  expect(await worker.stop()).toBe(0);
});
