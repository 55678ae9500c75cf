import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCurrentMigration } from './migrations/current-migration.ts';
import { writeBehaviour } from './migrations/write-behaviour.ts';
import { projectRoot } from './paths.ts';
import { runProgram } from './process/run-program.ts';
import { StackError } from './stack-error.ts';

/**
 * A migration waits for locks only for a moment, so that the application does not queue up behind it. And roles are the whole server's:
 * one that another database's migration alters at the same moment is not waited for by PostgreSQL, either.
 */
const gaveWay = /\b(55P03|40P01)\b|tuple concurrently (updated|deleted)/;
const maxAttempts = 5;
const retryPauseMs = 1_000;

const command = createRequire(import.meta.url).resolve('graphile-migrate/dist/cli.js');

/** `current`: what is being written too, which a later run may replace. For databases that nobody will miss. */
export type UpTo = 'committed' | 'current';

/**
 * Brings a database to the state of `sql/`: the committed migrations and, `upTo` the current one, that too. Repeatable.
 * `root` is the directory of `.gmrc` and `sql/`. The database must have what Supabase's have (`layStandIns`). Throws `StackError` with
 * what PostgreSQL said about the statement.
 *
 * In a process of its own: as a library, graphile-migrate ends *our* process when its idle connection is lost, and it keeps that
 * connection for a while after it has answered, in which the database cannot be used as a template.
 */
export async function migrateDatabase(url: string, upTo: UpTo, root = projectRoot): Promise<void> {
  if (upTo === 'current') writeBehaviour(join(root, 'sql'));
  const args = upTo === 'current' && hasCurrentMigration(join(root, 'sql')) ? ['watch', '--once'] : ['migrate'];
  for (let attempt = 1; ; attempt += 1) {
    const { code, output } = await runProgram(process.execPath, [command, ...args], {
      cwd: root,
      env: { ...process.env, DATABASE_URL: url },
    });
    if (code === 0) return;
    if (!gaveWay.test(output)) {
      throw new StackError(`The migration failed:\n${withoutTraces(output)}`, 'Mend what it names in sql/ and try again.');
    }
    if (attempt === maxAttempts) {
      throw new StackError(
        `The migration gave way to the application ${attempt} times:\n${withoutTraces(output)}`,
        'Look for a long transaction in pg_stat_activity, or migrate when there is less to do.',
      );
    }
    await sleep(retryPauseMs);
  }
}

/** graphile-migrate's own lines of code tell nothing about the statement that failed. */
function withoutTraces(output: string): string {
  return output
    .split('\n')
    .filter((line) => !/^\s+at /.test(line))
    .join('\n')
    .trimEnd();
}
