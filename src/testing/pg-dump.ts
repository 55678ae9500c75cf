import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { runProgram } from '../local/process/run-program.ts';

const major = '17';

export interface PgDump {
  /** Of one database into another, empty one of the same server: `pg_dump`, then `pg_restore`. */
  copy(fromUrl: string, toUrl: string, file: string): Promise<void>;
}

/** PostgreSQL's own programs for the tests, of the server's major version or a later one. If there are none, says so. */
export function findPgDump(): PgDump | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), `/usr/lib/postgresql/${major}/bin`];
  const folder = folders.find((each) => each !== '' && existsSync(`${each}/pg_restore`) && versionOf(`${each}/pg_dump`) >= Number(major));
  if (folder === undefined) {
    console.log(`The tests with pg_dump are left out: none of PostgreSQL ${major} is installed.`);
    return undefined;
  }
  return {
    async copy(fromUrl, toUrl, file) {
      await run(`${folder}/pg_dump`, ['--format=custom', `--file=${file}`, fromUrl]);
      await run(`${folder}/pg_restore`, ['--exit-on-error', `--dbname=${toUrl}`, file]);
    },
  };
}

function versionOf(program: string): number {
  return Number(/\) (\d+)/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0);
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { code, output } = await runProgram(program, args, { env: process.env });
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output}`);
}
