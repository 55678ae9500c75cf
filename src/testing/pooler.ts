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

export interface Pooler {
  /** The same database and login, by way of the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

export function findPooler(): string | undefined {
  // Debian has it beside the servers, and not on everybody's path.
  return executableOnPath('pgbouncer', `${process.env['PATH'] ?? ''}:/usr/sbin`);
}

/** PgBouncer in session mode before PostgreSQL, for one login. Throws `StackError` where it is not installed. */
export async function startPooler(home: string, databaseUrl: string): Promise<Pooler> {
  const pgbouncer = findPooler();
  if (pgbouncer === undefined) throw new StackError('There is no PgBouncer.', 'Install it: apt-get install pgbouncer');
  const url = new URL(databaseUrl);
  const port = await chooseTestPort();
  const users = join(home, 'pgbouncer-users.txt');
  const settings = join(home, 'pgbouncer.ini');
  // It knows the password, or it could not log in for its clients.
  writeFileSync(users, `"${url.username}" "${decodeURIComponent(url.password)}"\n`, { mode: 0o600 });
  writeFileSync(settings, `[databases]
* = host=127.0.0.1 port=${url.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = session
auth_type = scram-sha-256
auth_file = ${users}
default_pool_size = 60
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
  url.port = String(port);
  return { url: url.href, stop };
}
