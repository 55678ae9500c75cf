import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { type MainProcess, startMainProcess } from '../testing/main-process.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../testing/tenant.ts';

// What an application, or a platform, may have set for the whole database: each test has one of its own.
let database: TestDatabase;
let db: ReturnType<typeof connect>;
/** Its session has begun before anything is set. */
let admin: pg.Client;
let tenant: TestTenant;
let worker: MainProcess | undefined;
beforeEach(async () => {
  database = await createTestDatabase();
  db = connect(database);
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  tenant = await createTenant(db.admin);
});
afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  await admin.end();
  await db.end();
});

// Longer than a process takes to start on a busy machine.
const timeout = 90_000;
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 40_000, interval: 50 });

async function submit(aggregateId: string): Promise<string> {
  return (await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget(aggregateId))).commandId;
}

async function expectStatus(commandId: string, status: string): Promise<void> {
  await eventually(async () => {
    expect((await admin.query('select status, outcome from intent.commands where command_id = $1', [commandId])).rows).toMatchObject([{ status }]);
  });
}

// With the inline engine one process is worker and pump.
async function startWorker(): Promise<MainProcess> {
  worker = await startMainProcess('worker', database, { INTENT_ENGINE: 'inline' });
  return worker;
}

describe('commands are executed whatever the database is set to:', () => {
  it.each([
    ['default_transaction_isolation', 'repeatable read'],
    ['default_transaction_isolation', 'serializable'],
    ['DateStyle', 'SQL, DMY'],
    ['IntervalStyle', 'sql_standard'],
    ['TimeZone', 'Pacific/Chatham'],
    ['row_security', 'off'],
    ['statement_timeout', '1ms'],
    ['lock_timeout', '1ms'],
    ['idle_in_transaction_session_timeout', '1ms'],
    ['idle_session_timeout', '100ms'],
    ['search_path', 'nowhere'],
    ['standard_conforming_strings', 'off'],
    ['plan_cache_mode', 'force_custom_plan'],
    ['enable_indexscan', 'off'],
  ])('%s = %s', { timeout }, async (setting, value) => {
    const commandId = await submit(`under ${setting} ${value}`.toLowerCase().replaceAll(/[\W_]+/g, '-'));
    await admin.query(`alter database ${database.name} set ${setting} = '${value}'`);
    await (await startWorker()).ready();
    await expectStatus(commandId, 'succeeded');
  });

  it('and whatever is set for the role in it', { timeout }, async () => {
    const commandId = await submit('under-role');
    await admin.query(`alter role intent_worker in database ${database.name} set default_transaction_isolation = 'serializable'`);
    await startWorker();
    await expectStatus(commandId, 'succeeded');
  });
});

it('a process on a database that is read-only says so at /readyz, and its commands wait', { timeout }, async () => {
  const commandId = await submit('read-only');
  await admin.query(`alter database ${database.name} set default_transaction_read_only = on`);
  const { get } = await startWorker();
  const words = 'it is read-only, or its transactions are (default_transaction_read_only); commands wait';
  await eventually(async () => {
    const { lacks } = (await (await get('/readyz'))!.json()) as { lacks: string[] };
    expect(lacks).toEqual(expect.arrayContaining([`PostgreSQL for the worker: ${words}`, `PostgreSQL for the pump: ${words}`]));
  });
  expect((await admin.query('select status from intent.commands where command_id = $1', [commandId])).rows).toEqual([{ status: 'pending' }]);
});
