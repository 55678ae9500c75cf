import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { WorkflowNotFoundError } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append } from '../testing/appends.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../testing/tenant.ts';
import { connectToTestTemporal, startTestTemporal } from '../testing/temporal.ts';

// The processes as they run in production: one of their own each, settings from the environment.
const temporal = await startTestTemporal();
let database: TestDatabase;
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  tenant = await createTenant(db.admin);
});
afterAll(async () => {
  await db.end();
  await temporal?.stop();
});

const start = (name: 'worker' | 'command-pump', env: Record<string, string>) => startMainProcess(name, database, env);

/** Returns the command's id. */
async function executes(aggregateId: string): Promise<string> {
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget(aggregateId));
  await expect
    .poll(async () => (await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId])).rows[0]?.status, { timeout: 10_000 })
    .toBe('succeeded');
  return commandId;
}

describe('worker and pump', () => {
  it('run apart, each with its health, and end with code 0 at SIGTERM', needs(temporal, 'there is no Temporal'), async () => {
    const env = { TEMPORAL_ADDRESS: temporal!.address, INTENT_TASK_QUEUES: '2' };
    const [worker, pump] = await Promise.all([start('worker', env), start('command-pump', env)]);
    await Promise.all([worker.ready(), pump.ready()]);
    for (const each of [worker, pump]) expect((await each.get('/healthz'))?.status).toBe(200);
    await executes('apart');
    expect(await Promise.all([worker.stop(), pump.stop()])).toEqual([0, 0]);
  });

  it("serve a dedicated tenant's own task queue without a restart", needs(temporal, 'there is no Temporal'), async () => {
    const worker = await start('worker', { TEMPORAL_ADDRESS: temporal!.address, INTENT_TASK_QUEUES: '1', INTENT_PUMP: 'embedded' });
    await worker.ready();
    await db.admin.query(`update intent.tenants set isolation = 'dedicated' where tenant_id = $1`, [tenant.tenantId]);
    await executes('dedicated');
    expect(await worker.stop()).toBe(0);
  });

  it('execute inline the types that ask for it, beside Temporal', needs(temporal, 'there is no Temporal'), async () => {
    const worker = await start('worker', { TEMPORAL_ADDRESS: temporal!.address, INTENT_TASK_QUEUES: '1', INTENT_PUMP: 'embedded' });
    await worker.ready();
    await db.admin.query(`update intent.message_types set execution = 'inline' where type = 'OpenBudget'`);
    const commandId = await executes('by-type');
    await db.admin.query(`update intent.message_types set execution = 'temporal' where type = 'OpenBudget'`);
    const { client, connection } = await connectToTestTemporal(temporal!, pino({ level: 'silent' }));
    await expect(client.workflow.getHandle(`${tenant.tenantId}/command/${commandId}`).describe()).rejects.toThrow(WorkflowNotFoundError);
    await connection.close();
    expect(await worker.stop()).toBe(0);
  });

  it('run without Temporal where the inline engine is chosen, and say what has to wait', async () => {
    const worker = await start('worker', { INTENT_ENGINE: 'inline', INTENT_PUMP: 'embedded' });
    await worker.ready();
    const waiting = ['process managers: the inline engine has no Temporal', 'schedules: the inline engine has no Temporal'];
    expect(await (await worker.get('/readyz'))!.json()).toEqual({ status: 'ok', waiting });
    await executes('inline');
    expect(await worker.stop()).toBe(0);
  });

  it.each([
    ['the inline engine', async () => ({ INTENT_ENGINE: 'inline', INTENT_PUMP: 'embedded' })],
    ['Temporal', async () => ({ TEMPORAL_ADDRESS: temporal!.address, INTENT_TASK_QUEUES: '1', INTENT_PUMP: 'embedded' })],
  ])('tell at /readyz, with %s, what waits for a newer release', async (engine, env) => {
    if (engine === 'Temporal' && temporal === undefined) return;
    const aggregateId = `painted-${engine === 'Temporal'}`;
    const events = [{ type: 'BudgetOpened', payload: { name: 'Groceries', limit: 1 } }, { type: 'BudgetPainted', payload: {} }];
    await append(db.worker, tenant.tenantId, { aggregateType: 'budget', aggregateId, expectedVersion: 0, events });
    const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), { type: 'ChangeBudgetLimit', aggregateType: 'budget', aggregateId, payload: { limit: 2 } });
    const worker = await start('worker', await env());
    await worker.ready();
    const waiting = async () => ((await (await worker.get('/readyz'))!.json()) as { waiting?: string[] }).waiting ?? [];
    await expect.poll(waiting, { timeout: 20_000 }).toContain('a newer release: BudgetPainted of schema version 1 is newer than this release.');
    await executes(`beside-${engine === 'Temporal'}`);
    const { rows } = await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId]);
    expect(['pending', 'dispatched']).toContain(rows[0]?.status);
    expect(await worker.stop()).toBe(0);
  });

  it('are alive but not ready while Temporal cannot be reached, and still end at once', async () => {
    const pump = await start('command-pump', { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    await expect.poll(async () => (await pump.get('/healthz'))?.status, { timeout: 20_000 }).toBe(200);
    const notReady = await pump.get('/readyz');
    expect(notReady?.status).toBe(503);
    expect(await notReady!.json()).toEqual({ status: 'not ready', lacks: ['Temporal'] });
    expect(await pump.stop()).toBe(0);
  });

  it('name every setting that needs mending, and end with code 2', async () => {
    const child = spawn(process.execPath, ['src/main/worker.ts'], { env: { PATH: process.env['PATH'], LOG_LEVEL: 'loud' }, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    expect(((await once(child, 'close')) as [number])[0]).toBe(2);
    expect(said).toContain('DATABASE_URL');
    expect(said).toContain('LOG_LEVEL');
  });
});
