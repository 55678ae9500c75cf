import type pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { needs } from '../../testing/needs.ts';
import { type OwnDatabase, startOwnDatabase } from '../../testing/own-database.ts';
import { findPooler, type Pooler, startPooler } from '../../testing/pooler.ts';
import { createScratchDirectory, type ScratchDirectory } from '../../testing/scratch-directory.ts';
import { createDoorbell, type RunningDoorbell } from './doorbell.ts';
import { createPool } from './pool.ts';

describe('the doorbell behind a pooler in session mode', needs(findPooler(), 'PgBouncer is not installed'), () => {
  const log = pino({ level: 'silent' });
  let scratch: ScratchDirectory;
  let database: OwnDatabase;
  let pooler: Pooler;
  let pool: pg.Pool;
  let doorbell: RunningDoorbell;

  beforeAll(async () => {
    scratch = await createScratchDirectory();
    database = await startOwnDatabase(scratch.path);
    const directUrl = database.urlFor('intent_pump');
    pooler = await startPooler({ home: scratch.path, databaseUrls: [directUrl], mode: 'session' });
    const connectionString = pooler.through(directUrl);
    pool = createPool({ connectionString, applicationName: 'intent-pump', maxConnections: 2, log });
    doorbell = await createDoorbell({ connectionString, pool, log, checkIntervalMs: 300 });
  });
  afterAll(async () => {
    await doorbell.close();
    await pool.end();
    await pooler.stop();
    await database.stop();
    scratch.remove();
  });

  it('listens again where the pooler took its login while the server hung, and LISTEN had no answer in time', async () => {
    const errors = vi.spyOn(log, 'error');
    const { rows: [listener] } = await database.admin.query<{ pid: number }>(`select pid from pg_stat_activity where application_name = 'intent-doorbell'`);
    // No session begins; those that are there go on.
    process.kill(database.postmasterPid(), 'SIGSTOP');
    try {
      await database.admin.query('select pg_terminate_backend($1)', [listener!.pid]);
      await vi.waitFor(() => expect(errors).toHaveBeenCalled(), { timeout: 10_000, interval: 20 });
      expect(doorbell.isListening()).toBe(false);
    } finally {
      process.kill(database.postmasterPid(), 'SIGCONT');
    }
    await vi.waitFor(() => expect(doorbell.isListening()).toBe(true), { timeout: 20_000, interval: 50 });

    const slot = await doorbell.takeWaitSlot();
    const sleeping = slot.wait(10_000, new AbortController().signal);
    await database.admin.query(`select pg_notify('intent_commands', '')`);
    expect(await sleeping).toBe(true);
    await slot.release();
  });
});
