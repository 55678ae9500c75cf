import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs } from '../testing/tenant.ts';
import { startTestTemporal } from '../testing/temporal.ts';

const temporal = await startTestTemporal();
let database: TestDatabase;
let db: ReturnType<typeof connect>;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  await db.admin.query('revoke usage on schema realtime from intent_owner');
});
afterAll(async () => {
  await db.end();
  await temporal?.stop();
});

const told = 'hints: clients are not told by Realtime (permission denied for schema realtime); they see what is new when they read the feed';

it('a worker that cannot tell clients says so, is ready, and settles commands', async () => {
  const tenant = await createTenant(db.admin);
  const worker = await startMainProcess('worker', database, { INTENT_ENGINE: 'inline', INTENT_PUMP: 'embedded' });
  await worker.ready();
  const readiness = await (await worker.get('/readyz'))!.json() as { status: string; waiting: string[] };
  expect(readiness.status).toBe('ok');
  expect(readiness.waiting).toContain(told);
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('without-hints'));
  await vi.waitFor(async () => {
    const { rows } = await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId]);
    expect(rows).toEqual([{ status: 'succeeded' }]);
  }, { timeout: 10_000, interval: 50 });
  expect(await worker.stop()).toBe(0);
});

it('so does a pump, and it is silent once they can be told', needs(temporal, 'there is no Temporal'), async () => {
  const pump = await startMainProcess('command-pump', database, { TEMPORAL_ADDRESS: temporal!.address, INTENT_TASK_QUEUES: '1' });
  await pump.ready();
  const readiness = async (): Promise<unknown> => (await pump.get('/readyz'))!.json();
  expect(await readiness()).toEqual({ status: 'ok', waiting: [told] });
  await db.admin.query('grant usage on schema realtime to intent_owner');
  await vi.waitFor(async () => expect(await readiness()).toEqual({ status: 'ok' }), { timeout: 20_000, interval: 200 });
  expect(await pump.stop()).toBe(0);
});
