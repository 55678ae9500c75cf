import { spawnSync } from 'node:child_process';
import { appendFileSync, chownSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { type RunningPostgres, startPostgres } from '../local/postgres/start-postgres.ts';
import { expectSoon } from './expect-soon.ts';
import type { OwnDatabase } from './own-database.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { chooseTestPort } from './test-port.ts';

const name = 'standby';

export interface Standby {
  readonly server: RunningPostgres;
  /** Between it and the primary. */
  readonly replication: TcpProxy;
  /** The primary's commits wait for it from now on. Resolves when they do. */
  beSynchronous(): Promise<void>;
  /** Resolves when it takes writes. */
  promote(): Promise<void>;
  /** Stops it and deletes its files. The primary, which has to run, forgets it. */
  remove(): Promise<void>;
}

/** A hot standby that streams from the server, made by a copy of its files. Its home is `standby/` in this directory. */
export async function startStandby(primary: OwnDatabase, home: string): Promise<Standby> {
  const replication = await startTcpProxy({ host: '127.0.0.1', port: primary.port });
  const directory = join(home, name, 'postgres');
  mkdirSync(join(home, name));
  const label = await copyFiles(primary, directory);
  writeAsServer(join(directory, 'backup_label'), label);
  const { password } = primary;
  writeAsServer(join(directory, 'standby.signal'), '');
  appendFileSync(join(directory, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=127.0.0.1 port=${replication.port} user=postgres password=${password} application_name=${name}'\n`
    + `primary_slot_name = '${name}'\nwal_retrieve_retry_interval = 200\n`);
  const server = await startPostgres({ directory, port: await chooseTestPort(), password, log: () => {} });

  return {
    server,
    replication,
    async beSynchronous() {
      await primary.admin.query(`alter system set synchronous_standby_names = '${name}'`);
      await primary.admin.query('select pg_reload_conf()');
      const state = async () => (await primary.admin.query<{ state: string }>('select sync_state as state from pg_stat_replication')).rows[0]?.state;
      await expectSoon(state).toBe('sync');
    },
    async promote() {
      const client = new pg.Client(server.adminUrl());
      await client.connect();
      await client.query('select pg_promote(true, 60)');
      await client.end();
    },
    async remove() {
      await server.stop();
      await replication.stop();
      rmSync(join(home, name), { recursive: true });
      await primary.admin.query('alter system reset synchronous_standby_names');
      await primary.admin.query('select pg_reload_conf(), pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1', [name]);
      await primary.admin.query('select pg_drop_replication_slot($1)', [name]);
    },
  };
}

/** As pg_basebackup does it, which the embedded server lacks. A slot keeps the WAL from here on. Returns the backup's label. */
async function copyFiles(primary: OwnDatabase, directory: string): Promise<string> {
  const client = await primary.admin.connect();
  try {
    await client.query('select pg_create_physical_replication_slot($1, true), pg_backup_start($1, true)', [name]);
    const copied = spawnSync('cp', ['-a', primary.directory, directory], { encoding: 'utf8' });
    if (copied.status !== 0) throw new Error(`The server's files could not be copied: ${copied.stderr}`);
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
    for (const own of ['postmaster.pid', 'postmaster.opts', 'pg_replslot/standby']) rmSync(join(directory, own), { recursive: true, force: true });
    return rows[0]!.labelfile;
  } finally {
    client.release();
  }
}

/** For the account that the server runs as, whose the directory is. */
function writeAsServer(path: string, content: string): void {
  const { uid, gid } = statSync(dirname(path));
  writeFileSync(path, content);
  chownSync(path, uid, gid);
}
