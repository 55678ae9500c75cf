import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { type MainProcess, startMainProcess } from '../testing/main-process.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../testing/tcp-proxy.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../testing/tenant.ts';

// With the inline engine one process is worker and pump.
let database: TestDatabase;
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
let proxy: TcpProxy;
let worker: MainProcess;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  tenant = await createTenant(db.admin);
  const { hostname: host, port } = new URL(database.adminUrl);
  proxy = await startTcpProxy({ host, port: Number(port) });
  worker = await startMainProcess('worker', database, {
    INTENT_ENGINE: 'inline',
    DATABASE_URL: throughProxy(database.urlFor('intent_worker'), proxy),
    PUMP_DATABASE_URL: throughProxy(database.urlFor('intent_pump'), proxy),
  });
  await worker.ready();
});
afterAll(async () => {
  await worker.stop();
  await proxy.stop();
  await db.end();
});

const readiness = async (): Promise<unknown> => (await worker.get('/readyz'))!.json();

const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 50 });

async function statusOf(commandId: string): Promise<string | undefined> {
  return (await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId])).rows[0]?.status;
}

it('a process whose database goes away says what it lacks, lives on, and works again when it is back', async () => {
  proxy.become('closed');
  const lacks = ['PostgreSQL for the worker', 'PostgreSQL for the pump', 'the doorbell'];
  const waiting = ['process managers: the inline engine has no Temporal', 'schedules: the inline engine has no Temporal'];
  await eventually(async () => expect(await readiness()).toEqual({ status: 'not ready', lacks, waiting }));
  expect((await worker.get('/healthz'))!.status).toBe(200);
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('waits'));
  proxy.become('open');
  await eventually(async () => expect(await statusOf(commandId)).toBe('succeeded'));
  await eventually(async () => expect(await readiness()).toMatchObject({ status: 'ok' }));
});

it('commands wait while the database is read-only, and none is dead-lettered for it', async () => {
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), { ...openBudget('read-only'), executeAt: new Date(Date.now() + 500).toISOString() });
  await setReadOnly(true);
  await eventually(async () => expect(worker.lines.filter(({ err }) => JSON.stringify(err)?.includes('read-only'))).not.toEqual([]));
  expect(await statusOf(commandId)).toBe('pending');
  await setReadOnly(false);
  await eventually(async () => expect(await statusOf(commandId)).toBe('succeeded'));
});

it('commands wait while others use up the connections, and none is dead-lettered for it', async () => {
  await limitConnections(0);
  proxy.cut();
  await eventually(async () => expect(JSON.stringify(await readiness())).toContain('PostgreSQL for the worker'));
  await eventually(async () => expect(worker.lines.filter(({ err }) => JSON.stringify(err)?.includes('too many connections'))).not.toEqual([]));
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('exhausted'));
  await limitConnections(-1);
  await eventually(async () => expect(await statusOf(commandId)).toBe('succeeded'));
  await eventually(async () => expect(await readiness()).toMatchObject({ status: 'ok' }));
});

/** Of this database, so that other tests keep theirs: the error is that of a server that has none left. */
async function limitConnections(limit: number): Promise<void> {
  await db.admin.query(`alter database ${database.name} connection limit ${limit}`);
}

/** As a person does whose disk is full, and as a failover does: for the sessions that begin from now on, which all have to. */
async function setReadOnly(isReadOnly: boolean): Promise<void> {
  const roles = ['intent_worker', 'intent_pump'];
  for (const role of roles) await db.admin.query(`alter role ${role} in database ${database.name} set default_transaction_read_only = ${isReadOnly}`);
  proxy.cut();
}
