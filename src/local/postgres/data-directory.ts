import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runProgram } from '../process/run-program.ts';
import { StackError } from '../stack-error.ts';
import type { PostgresBinaries } from './binaries.ts';
import type { ServerUser } from './server-user.ts';

const majorVersion = '17';

/** Sees to it that `directory` holds a database cluster of our version. Throws `StackError` if something else is there. */
export async function prepareDataDirectory(
  directory: string,
  password: string,
  binaries: PostgresBinaries,
  user: ServerUser,
): Promise<void> {
  if (!existsSync(directory)) return initialise(directory, password, binaries, user);
  const version = readVersion(directory);
  if (version === undefined) {
    throw new StackError(`${directory} is not a PostgreSQL data directory: it has no PG_VERSION.`, startAnew);
  }
  if (version !== majorVersion) {
    throw new StackError(`${directory} was made by PostgreSQL ${version}; this is PostgreSQL ${majorVersion}.`, startAnew);
  }
}

export const startAnew = 'Begin anew with `npm start -- --fresh` (this deletes the local data).';

/** Into a temporary name first: a killed initdb must not leave what looks like a database. */
async function initialise(directory: string, password: string, binaries: PostgresBinaries, user: ServerUser): Promise<void> {
  const unfinished = `${directory}.initialising`;
  const passwordFile = join(dirname(directory), 'initdb-password');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) {
    chownSync(unfinished, user.uid, user.gid);
    chownSync(passwordFile, user.uid, user.gid);
  }
  try {
    const { command, args, ...account } = user.wrap(binaries.initdb, [
      `--pgdata=${unfinished}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // PostgreSQL's own collation: the machine's locales differ, and change under an index.
      '--locale-provider=builtin',
      '--locale=C',
      '--builtin-locale=C.UTF-8',
      '--data-checksums',
    ]);
    const { code, output } = await runProgram(command, args, { ...account, cwd: '/' });
    if (code !== 0) {
      const message = `initdb could not make ${directory}. It said:\n${output.trim()}`;
      throw new StackError(message, 'Check the free space and the rights of that directory.');
    }
    renameSync(unfinished, directory);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function readVersion(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, 'PG_VERSION'), 'utf8').trim();
  } catch {
    return undefined;
  }
}
