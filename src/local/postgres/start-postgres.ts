import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import pg from 'pg';
import { startProcess } from '../process/start-process.ts';
import type { ProcessExit } from '../process/start-process.ts';
import { until } from '../process/until.ts';
import { StackError } from '../stack-error.ts';
import { findPostgresBinaries } from './binaries.ts';
import { prepareDataDirectory, startAnew } from './data-directory.ts';
import { endOrphanedServer } from './orphan.ts';
import { postgresUrl } from './postgres-url.ts';
import { chooseServerUser } from './server-user.ts';

const readyTimeoutMs = 30_000;
const stopTimeoutMs = 8_000;

export interface PostgresOptions {
  /** Of the data. Log and process record go beside it, to `logs/` and `run/`. */
  readonly directory: string;
  readonly port: number;
  /** Of the superuser `postgres`; used when the directory is new. */
  readonly password: string;
  readonly log: (line: string) => void;
  /** Of the server, beside ours. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface RunningPostgres {
  readonly port: number;
  readonly exited: Promise<ProcessExit>;
  /** As superuser. (Default: database `postgres`.) */
  adminUrl(database?: string): string;
  stop(): Promise<void>;
}

/** Starts PostgreSQL 17 on 127.0.0.1. Throws `StackError` when the data cannot be used or the server does not come up. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { port, password, log } = options;
  const directory = resolve(options.directory);
  const home = dirname(directory);
  mkdirSync(home, { recursive: true });
  const binaries = await findPostgresBinaries();
  const user = chooseServerUser([binaries.postgres, home]);
  await prepareDataDirectory(directory, password, binaries, user);
  await endOrphanedServer(directory, log);

  const adminUrl = (database = 'postgres') => postgresUrl({ user: 'postgres', password }, { port }, database);
  const { exited, stop } = await startProcess({
    name: 'postgres',
    home,
    ...user.wrap(binaries.postgres, ['-D', directory, '-p', String(port), ...settings(options.settings)]),
    cwd: '/',
    ready: (signal) => until(() => acceptsQueries(adminUrl(), directory), signal),
    readyTimeoutMs,
    // The fast shutdown: it ends sessions. SIGTERM would wait for every client to leave.
    stopSignal: 'SIGINT',
    stopTimeoutMs,
    hint: `If the data is damaged: ${startAnew}`,
  });
  return { port, exited, adminUrl, stop };
}

function settings(others: Readonly<Record<string, string>> = {}): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    // The gateway reads broadcasts from the WAL, as Supabase Realtime does.
    wal_level: 'logical',
    max_wal_senders: 20,
    max_replication_slots: 20,
    // A slot of a stack that never came back must not fill the disk.
    max_slot_wal_keep_size: '1GB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %q%u@%d ',
    // Compiling a plan costs more than our short statements do.
    jit: 'off',
    ...others,
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** False while our server cannot be asked (another one may answer on this port); throws when it can, and refuses us for good. */
async function acceptsQueries(url: string, directory: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ ours: boolean }>(`select current_setting('data_directory') = $1 as ours`, [directory]);
    return rows[0]?.ours === true;
  } catch (cause) {
    if ((cause as { code?: string }).code === wrongPassword) {
      throw new StackError('PostgreSQL refuses the password in secrets.json: it belongs to other data.', startAnew, { cause });
    }
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

const wrongPassword = '28P01';
