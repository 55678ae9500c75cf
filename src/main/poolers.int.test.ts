import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { type MainProcess, startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { findPooler, startPooler } from '../testing/pooler.ts';
import { createScratchDirectory } from '../testing/scratch-directory.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../testing/tenant.ts';

let database: TestDatabase;
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  tenant = await createTenant(db.admin);
});
afterAll(() => db.end());

// Until a process has started, and has tried for a while whether it hears.
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 40_000, interval: 50 });
const timeout = 90_000;

async function executes(aggregateId: string): Promise<void> {
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget(aggregateId));
  await eventually(async () => {
    const { rows } = await db.admin.query('select status from intent.commands where command_id = $1', [commandId]);
    expect(rows).toEqual([{ status: 'succeeded' }]);
  });
}

/** Advisory locks that a connection keeps beyond its transaction. */
async function locksOfSessions(): Promise<number> {
  const { rows } = await db.admin.query<{ locks: number }>(
    `select count(*)::integer as locks from pg_locks as l join pg_stat_activity as a using (pid)
     where l.locktype = 'advisory' and a.datname = current_database() and a.xact_start is null`,
  );
  return rows[0]!.locks;
}

// With the inline engine one process is worker and pump.
async function startBehind(mode: 'transaction' | 'session'): Promise<MainProcess> {
  const [workerUrl, pumpUrl] = [database.urlFor('intent_worker'), database.urlFor('intent_pump')];
  const scratch = await createScratchDirectory();
  const pooler = await startPooler({ home: scratch.path, databaseUrls: [workerUrl, pumpUrl], mode });
  const env = { INTENT_ENGINE: 'inline', DATABASE_URL: pooler.through(workerUrl), PUMP_DATABASE_URL: pooler.through(pumpUrl) };
  const worker = await startMainProcess('worker', database, env);
  onTestFinished(async () => {
    await worker.stop();
    await pooler.stop();
    scratch.remove();
  });
  return worker;
}

describe('worker and pump', needs(findPooler(), 'PgBouncer is not installed'), () => {
  it('behind a pooler in transaction mode say that the doorbell is deaf, execute by polling, and leave nothing locked', { timeout }, async () => {
    const worker = await startBehind('transaction');
    await eventually(async () => {
      const response = await worker.get('/readyz');
      expect(response?.status).toBe(503);
      expect(await response!.json()).toEqual({
        status: 'not ready',
        lacks: [expect.stringMatching(/^the doorbell: .*a pooler in transaction mode/)],
        waiting: [expect.stringContaining('process managers: '), expect.stringContaining('schedules: ')],
      });
    });
    expect(worker.lines.filter(({ msg }) => String(msg).includes('a pooler in transaction mode'))).toHaveLength(1);
    for (let n = 0; n < 5; n += 1) await executes(`by-polling-${n}`);
    expect(await locksOfSessions()).toBe(0);
    expect(await worker.stop()).toBe(0);
    expect((await db.admin.query(`select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`)).rowCount).toBe(0);
  });

  it('behind a pooler in session mode are ready, and hear the doorbell', { timeout }, async () => {
    const worker = await startBehind('session');
    await worker.ready();
    await executes('by-the-bell');
    const metrics = await (await worker.get('/metrics'))!.text();
    expect(metrics).toMatch(/intent_pump_wake_ups_total\{[^}]*reason="ring"[^}]*\} [1-9]/);
    expect(await worker.stop()).toBe(0);
  });
});
