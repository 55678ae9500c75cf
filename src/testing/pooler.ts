import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseServerUser } from '../local/postgres/server-user.ts';
import { startProcess } from '../local/process/start-process.ts';
import { acceptsConnections, until } from '../local/process/until.ts';
import { StackError } from '../local/stack-error.ts';
import { executableOnPath } from '../local/temporal/executable-on-path.ts';
import { chooseTestPort } from './test-port.ts';

const readyTimeoutMs = 10_000;
const stopTimeoutMs = 4_000;

export interface PoolerOptions {
  /** For its files, which hold passwords: a scratch directory of the caller's. */
  readonly home: string;
  /** As each of these logins it is reached, all of one server. */
  readonly databaseUrls: readonly string[];
  readonly mode: 'transaction' | 'session';
}

export interface Pooler {
  /** The same database and login, by way of the pooler. */
  through(databaseUrl: string): string;
  stop(): Promise<void>;
}

export function findPooler(): string | undefined {
  // Debian has it beside the servers, and not on everybody's path.
  const found = executableOnPath('pgbouncer', `${process.env['PATH'] ?? ''}:/usr/sbin`);
  if (found === undefined) console.log('There is no PgBouncer: what needs it is left out.');
  return found;
}

/** A real PgBouncer on this machine, before a server. Throws `StackError` if it is not installed. */
export async function startPooler({ home, databaseUrls, mode }: PoolerOptions): Promise<Pooler> {
  const pgbouncer = findPooler();
  if (pgbouncer === undefined) throw new StackError('There is no PgBouncer.', 'Install it: apt-get install pgbouncer');
  const urls = databaseUrls.map((url) => new URL(url));
  const port = await chooseTestPort();
  const users = join(home, 'pgbouncer-users.txt');
  const settings = join(home, 'pgbouncer.ini');
  // It knows the passwords, or it could not log in for its clients.
  writeFileSync(users, urls.map(({ username, password }) => `"${username}" "${decodeURIComponent(password)}"\n`).join(''), { mode: 0o600 });
  writeFileSync(settings, `[databases]
* = host=${urls[0]!.hostname} port=${urls[0]!.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = ${mode}
auth_type = scram-sha-256
auth_file = ${users}
default_pool_size = 60
ignore_startup_parameters = extra_float_digits
; A server that is back is tried at once, not after 15 s.
server_login_retry = 1
`);
  const user = chooseServerUser([pgbouncer, home]);
  const { uid, gid } = user;
  if (uid !== undefined && gid !== undefined) for (const file of [users, settings]) chownSync(file, uid, gid);
  const { stop } = await startProcess({
    name: 'pgbouncer',
    home,
    ...user.wrap(pgbouncer, [settings]),
    cwd: '/',
    ready: (signal) => until(() => acceptsConnections(port), signal),
    readyTimeoutMs,
    stopTimeoutMs,
  });
  return { through: (url) => Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href, stop };
}
