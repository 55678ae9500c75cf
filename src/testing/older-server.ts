import { chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isExecutable } from '../local/temporal/executable-on-path.ts';
import { chooseServerUser } from '../local/postgres/server-user.ts';
import { runProgram } from '../local/process/run-program.ts';
import { startProcess } from '../local/process/start-process.ts';
import { acceptsConnections, until } from '../local/process/until.ts';
import { chooseTestPort } from './test-port.ts';

const newestOlder = 16;
/** Where Debian and its like have them, a folder for each version. */
const packages = '/usr/lib/postgresql';

/** The programs of a PostgreSQL that is older than ours; undefined if this machine has none. */
export function findOlderPostgres(): string | undefined {
  try {
    const versions = readdirSync(packages).filter((version) => Number(version) <= newestOlder);
    return versions.map((version) => join(packages, version, 'bin')).find((programs) => isExecutable(join(programs, 'initdb')));
  } catch {
    return undefined;
  }
}

/** A server of that version in a directory of its own, with a superuser `postgres` who needs no password. */
export async function startOlderPostgres(programs: string, home: string): Promise<{ adminUrl: string; stop(): Promise<void> }> {
  const directory = join(home, 'older');
  const port = await chooseTestPort();
  const user = chooseServerUser([programs, home]);
  mkdirSync(directory);
  if (user.uid !== undefined && user.gid !== undefined) chownSync(directory, user.uid, user.gid);
  const initdb = user.wrap(join(programs, 'initdb'), ['-D', directory, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C']);
  const { code, output } = await runProgram(initdb.command, initdb.args, { ...initdb, cwd: '/' });
  if (code !== 0) throw new Error(output);
  writeFileSync(join(directory, 'postgresql.auto.conf'), `listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n`);
  const { stop } = await startProcess({
    name: 'older',
    home,
    ...user.wrap(join(programs, 'postgres'), ['-D', directory, '-p', String(port)]),
    cwd: '/',
    ready: (signal) => until(() => acceptsConnections(port), signal),
    readyTimeoutMs: 30_000,
    stopSignal: 'SIGINT',
    stopTimeoutMs: 8_000,
  });
  return { adminUrl: `postgresql://postgres@127.0.0.1:${port}/postgres`, stop };
}
