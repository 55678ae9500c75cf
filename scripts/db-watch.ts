/**
 * `npm run db:watch`: graphile-migrate's watch on the database of DATABASE_URL, else on that of the running `npm start`. A file below
 * sql/current/ or sql/fixtures/ that is saved is in the database a moment later.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, watch } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { connectToDatabase } from '../src/local/connect-to-database.ts';
import { endWithWords } from '../src/local/end-with-words.ts';
import { includedIn } from '../src/local/migrations/committed-fixtures.ts';
import { isState, writeBehaviour } from '../src/local/migrations/write-behaviour.ts';
import { intentDirectory } from '../src/local/paths.ts';
import { requireStackInfo } from '../src/local/stack-info.ts';
import { StackError } from '../src/local/stack-error.ts';

const sql = 'sql';
const fixtures = join(sql, 'fixtures');
/** An editor may save a file in several steps. */
const settledMs = 50;

/** What the database has been given of fixtures that no migration has: it must be given their text of today, too. */
async function givenBefore(connectionString: string): Promise<Set<string>> {
  const client = await connectToDatabase(connectionString);
  try {
    const { rows: found } = await client.query<{ table: string | null }>(`select to_regclass('graphile_migrate.current')::text as "table"`);
    if (found[0]!.table === null) return new Set();
    const { rows } = await client.query<{ content: string }>('select content from graphile_migrate.current');
    return new Set(rows.flatMap(({ content }) => [...includedIn(content).keys()]));
  } finally {
    await client.end();
  }
}

/** Writes what has changed since the last commit into sql/current/, where graphile-migrate's watch sees it. */
function followFixtures(given: Set<string>): () => void {
  let settling: NodeJS.Timeout | undefined;
  const watcher = watch(fixtures, { recursive: true }, (_, file) => {
    if (file === null || !file.endsWith('.sql')) return;
    if (isState(sql, file)) console.log(`sql/fixtures/${file} is for empty databases: write the way there in sql/current/1-current.sql.`);
    else given.add(file);
    clearTimeout(settling);
    settling = setTimeout(write, settledMs);
  });
  function write(): void {
    try {
      writeBehaviour(sql, given);
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      console.error(`${error.message}\n  What to do: ${error.remedy}`);
    }
  }
  return () => {
    clearTimeout(settling);
    watcher.close();
  };
}

await endWithWords(async () => {
  const url = process.env['DATABASE_URL'] || requireStackInfo(intentDirectory()).databaseUrl;
  mkdirSync(join(sql, 'current'), { recursive: true });
  const given = await givenBefore(url);
  writeBehaviour(sql, given);
  const stopFollowing = followFixtures(given);
  const graphileMigrate = createRequire(import.meta.url).resolve('graphile-migrate/dist/cli.js');
  const child = spawn(process.execPath, [graphileMigrate, 'watch'], { env: { ...process.env, DATABASE_URL: url }, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  stopFollowing();
  return code ?? 0;
});
