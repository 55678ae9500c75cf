/**
 * `npm run db:commit -- "what it changes"`: makes a committed migration of sql/current/ and of the fixtures that have changed. It is tried
 * on an empty database of its own first, after all that is committed; nothing needs to run for it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Client } from 'pg';
import { connectToDatabase } from '../src/local/connect-to-database.ts';
import { endWithWords } from '../src/local/end-with-words.ts';
import { layStandIns } from '../src/local/lay-stand-ins.ts';
import { hasCurrentMigration } from '../src/local/migrations/current-migration.ts';
import { writeBehaviour } from '../src/local/migrations/write-behaviour.ts';
import { choosePort } from '../src/local/ports.ts';
import { startPostgres } from '../src/local/postgres/start-postgres.ts';
import { runProgram } from '../src/local/process/run-program.ts';
import { StackError } from '../src/local/stack-error.ts';

const usage = 'Usage: npm run db:commit -- "what it changes"';
const firstPort = 54400;

await endWithWords(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } });
  const message = positionals.join(' ');
  if (values.help || message === '') {
    (values.help ? console.log : console.error)(usage);
    return values.help ? 0 : 2;
  }
  const changed = writeBehaviour('sql');
  if (!hasCurrentMigration('sql')) {
    throw new StackError('There is nothing to commit.', 'Write in sql/current/1-current.sql, or change a fixture below sql/fixtures/.');
  }
  console.log(changed.length === 0 ? 'No fixture has changed.' : `Changed fixtures: ${changed.join(', ')}`);
  await onAnEmptyDatabase((urls) => commit(message, urls));
  return 0;
});

/** `database` and `shadow` have what Supabase's databases have; the URLs are a superuser's. */
interface Urls {
  readonly database: string;
  readonly shadow: string;
  readonly root: string;
}

async function onAnEmptyDatabase(run: (urls: Urls) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'intent-commit-'));
  const server = await startPostgres({
    directory: join(directory, 'postgres'),
    port: await choosePort(firstPort),
    password: randomBytes(18).toString('base64url'),
    log: () => {},
  });
  try {
    await withClient(server.adminUrl(), async (client) => {
      for (const name of ['fresh', 'shadow']) await client.query(`create database ${name}`);
    });
    for (const name of ['fresh', 'shadow']) await withClient(server.adminUrl(name), layStandIns);
    await run({ database: server.adminUrl('fresh'), shadow: server.adminUrl('shadow'), root: server.adminUrl() });
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function withClient(connectionString: string, run: (client: Client) => Promise<unknown>): Promise<void> {
  const client = await connectToDatabase(connectionString);
  try {
    await run(client);
  } finally {
    await client.end();
  }
}

async function commit(message: string, { database, shadow, root }: Urls): Promise<void> {
  const graphileMigrate = createRequire(import.meta.url).resolve('graphile-migrate/dist/cli.js');
  const env = { ...process.env, DATABASE_URL: database, SHADOW_DATABASE_URL: shadow, ROOT_DATABASE_URL: root };
  const { code, output } = await runProgram(process.execPath, [graphileMigrate, 'commit', '--message', message], { env });
  console.log(output.trimEnd());
  if (code !== 0) throw new StackError('Nothing was committed.', 'Mend what PostgreSQL names above, and try again.');
}
