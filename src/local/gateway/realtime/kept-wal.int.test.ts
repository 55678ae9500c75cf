import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSoon } from '../../../testing/expect-soon.ts';
import { type OwnDatabase, startOwnDatabase } from '../../../testing/own-database.ts';
import { createScratchDirectory, type ScratchDirectory } from '../../../testing/scratch-directory.ts';

// On a server of its own, because slots and WAL are the whole server's.
const segmentBytes = 16 * 1024 ** 2;

let scratch: ScratchDirectory;
let database: OwnDatabase;
beforeAll(async () => {
  scratch = await createScratchDirectory();
  database = await startOwnDatabase(scratch.path);
  // A minute, when nobody sets it.
  await database.admin.query(`alter system set wal_sender_timeout = '2s'`);
  await database.admin.query('select pg_reload_conf()');
}, 60_000);
afterAll(async () => {
  await database.stop();
  scratch.remove();
});

/** The gateway's reader of the WAL, as a process of its own. Resolves when it follows. */
async function startReader(): Promise<ChildProcess> {
  const options = { databaseUrl: database.urlFor('supabase_realtime_admin') };
  const program = `import { followMessages } from './src/local/gateway/realtime/follow-messages.ts';
    await followMessages({ ...${JSON.stringify(options)}, onBroadcast() {}, onRecovered() {}, log() {} });
    console.log('follows');`;
  const reader = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(reader.stdout, 'data');
  return reader;
}

async function kill(reader: ChildProcess): Promise<void> {
  const exited = once(reader, 'exit');
  reader.kill('SIGKILL');
  await exited;
}

async function slots(): Promise<unknown[]> {
  return (await database.admin.query<object>('select temporary, active from pg_replication_slots')).rows;
}

async function write(segments: number): Promise<void> {
  for (let n = 0; n < segments; n += 1) {
    await database.admin.query(`select pg_logical_emit_message(false, 'test', 'a little')`);
    await database.admin.query('select pg_switch_wal()');
  }
}

async function keptSegments(): Promise<number> {
  const { rows } = await database.admin.query<{ bytes: string }>('select pg_current_wal_lsn() - restart_lsn as bytes from pg_replication_slots');
  return Number(rows[0]!.bytes) / segmentBytes;
}

describe("the gateway's replication slot", () => {
  it('is gone with a gateway that was killed', async () => {
    const reader = await startReader();
    expect(await slots()).toEqual([{ temporary: true, active: true }]);
    await kill(reader);
    await expectSoon(slots).toEqual([]);
  });

  it('is gone soon after its gateway has hung', async () => {
    const reader = await startReader();
    reader.kill('SIGSTOP');
    await expectSoon(slots).toEqual([]);
    await kill(reader);
  });

  it('keeps no WAL that only others need to read', async () => {
    const reader = await startReader();
    await write(8);
    await database.admin.query('checkpoint');
    await expectSoon(keptSegments).toBeLessThan(2);
    await kill(reader);
    await expectSoon(slots).toEqual([]);
  });
});

describe('a replication slot that nobody reads', () => {
  it('is what the doctor finds when it keeps much, and keeps a gigabyte at most', async () => {
    await database.admin.query(`select pg_create_physical_replication_slot('forgotten', true)`);
    const problems = async () => (await database.admin.query<object>('select problem, object, remedy from intent.doctor()')).rows;
    await write(20);
    expect(await problems()).toEqual([]);
    await write(14);
    expect(await problems()).toEqual([
      { problem: 'slot keeps WAL', object: 'replication slot forgotten', remedy: expect.stringContaining(`select pg_drop_replication_slot('forgotten');`) as string },
    ]);
    expect((await database.admin.query('show max_slot_wal_keep_size')).rows).toEqual([{ max_slot_wal_keep_size: '1GB' }]);
    await database.admin.query(`select pg_drop_replication_slot('forgotten')`);
  });
});
