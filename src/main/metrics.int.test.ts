import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { type MainProcess, startMainProcess } from '../testing/main-process.ts';
import { claimsOf, connect, createTenant, openBudget, queryAs, submitAs } from '../testing/tenant.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const secret = 'Sup3r-secret-name';

let database: TestDatabase;
let db: ReturnType<typeof connect>;
let worker: MainProcess;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  worker = await startMainProcess('worker', database, { INTENT_ENGINE: 'inline' });
  await worker.ready();
});
afterAll(async () => {
  await worker.stop();
  await db.end();
});

/** By name and labels, as the page has them. */
async function readMetrics(): Promise<Map<string, number>> {
  const page = await (await worker.get('/metrics'))!.text();
  const samples = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

async function settled(commandId: string): Promise<void> {
  await expect
    .poll(async () => (await db.admin.query<{ open: boolean }>('select completed_at is null as open from intent.commands where command_id = $1', [commandId])).rows[0]?.open, { timeout: 10_000 })
    .toBe(false);
}

it('a worker counts commands by outcome and class of tenant, times their stages, and names no tenant', async () => {
  const [shared, dedicated] = [await createTenant(db.admin), await createTenant(db.admin, 'dedicated')];
  const sent = [
    await submitAs(db.admin, claimsOf(shared, 'owner'), openBudget('food')),
    await submitAs(db.admin, claimsOf(shared, 'owner'), openBudget('food')),
    await submitAs(db.admin, claimsOf(dedicated, 'owner'), openBudget('food')),
  ];
  for (const { commandId } of sent) await settled(commandId);

  const metrics = await readMetrics();
  expect(metrics.get('intent_commands_settled_total{outcome="succeeded",tenant_class="shared"}')).toBe(1);
  expect(metrics.get('intent_commands_settled_total{outcome="rejected",tenant_class="shared"}')).toBe(1);
  expect(metrics.get('intent_commands_settled_total{outcome="succeeded",tenant_class="dedicated"}')).toBe(1);
  expect(metrics.get('intent_commands_claimed_total{tenant_class="dedicated"}')).toBe(1);
  for (const stage of ['queued', 'total', 'execution']) {
    expect(metrics.get(`intent_command_stage_seconds_count{stage="${stage}"}`)).toBeGreaterThanOrEqual(2);
  }
  expect(metrics.get('intent_pool_connections{pool="worker",state="idle"}')).toBeGreaterThan(0);
  expect(metrics.get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  expect([...metrics.keys()].join('\n')).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}/);
});

it('what waits is read from PostgreSQL, every few seconds at most', async () => {
  const metrics = await readMetrics();
  expect(metrics.get('intent_queue_readable')).toBe(1);
  expect(metrics.get('intent_queue_pending_commands')).toBe(0);
  expect(metrics.get('intent_queue_dead_letters')).toBe(0);
  await Promise.all([readMetrics(), readMetrics(), readMetrics()]);
  const { rows } = await db.admin.query<{ figures: object }>('select intent.queue_figures() as figures');
  expect(Object.values(rows[0]!.figures)).toEqual(Array.from({ length: 9 }, () => 0));
});

it('each line about a command has its trace, tenant and command, and no line has a payload', async () => {
  const tenant = await createTenant(db.admin);
  const commandId = crypto.randomUUID();
  // No worker of this release knows the schema version, so that it is dead-lettered, which is told at every level.
  await queryAs(db.admin, claimsOf(tenant, 'owner'), `select api.submit_command($1, 'OpenBudget', 'budget', 'logged', $2, traceparent => $3)`, [
    commandId,
    JSON.stringify({ name: secret, limit: 1 }),
    `00-${traceId}-b7ad6b7169203331-00`,
  ]);
  await settled(commandId);
  await db.admin.query(`update intent.commands set status = 'pending', completed_at = null, outcome = null, claimed_by = null, aggregate_type = 'unheard-of' where command_id = $1`, [commandId]);
  await expect.poll(() => worker.lines.some((line) => line['commandId'] === commandId), { timeout: 10_000 }).toBe(true);
  for (const line of worker.lines.filter((each) => each['commandId'] === commandId)) {
    expect(line).toMatchObject({ traceId, tenantId: tenant.tenantId });
  }
  expect(JSON.stringify(worker.lines)).not.toContain(secret);
});
