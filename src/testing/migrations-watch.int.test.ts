import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { projectRoot } from '../local/paths.ts';
import { createMigrationFolder, type MigrationFolder } from './migration-folder.ts';

let database: TestDatabase;
let folder: MigrationFolder;
let watch: ChildProcess;
let lines: AsyncIterator<string>;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = createMigrationFolder(['committed', 'current', 'fixtures']);
  // As it is after a commit: nothing is included yet.
  folder.write('current/1-current.sql', (JSON.parse(folder.gmrc) as { blankMigrationContent: string }).blankMigrationContent);
  watch = spawn(process.execPath, [join(projectRoot, 'scripts', 'db-watch.ts')], {
    cwd: folder.path,
    env: { ...process.env, DATABASE_URL: database.adminUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  lines = createInterface({ input: watch.stdout! })[Symbol.asyncIterator]();
});
afterAll(async () => {
  watch.kill();
  if (watch.exitCode === null && watch.signalCode === null) await once(watch, 'exit');
  folder.remove();
  await database.drop();
});

/** Resolves when graphile-migrate has run the current migration once more. */
async function finished(): Promise<void> {
  for (let said = await lines.next(); ; said = await lines.next()) {
    if (said.done === true) throw new Error('graphile-migrate has ended.');
    if (said.value.includes('Finished')) return;
  }
}

async function bedCount(): Promise<unknown> {
  const client = new pg.Client(database.adminUrl);
  await client.connect();
  try {
    return (await client.query('select intent.bed_count() as count')).rows[0];
  } finally {
    await client.end();
  }
}

describe('npm run db:watch', () => {
  it('puts a saved fixture into the database, also while the current migration is blank, and has the Data API look again', async () => {
    await finished();
    const dataApi = new pg.Client(database.adminUrl);
    await dataApi.connect();
    const told = once(dataApi, 'notification');
    await dataApi.query('listen pgrst');
    const fixture = 'fixtures/intent/beds.sql';
    const saved = folder.read(fixture);
    expect(await bedCount()).toEqual({ count: 4 });
    folder.write(fixture, saved.replace('select 4;', 'select 5;'));
    await finished();
    expect(await bedCount()).toEqual({ count: 5 });
    expect(await told).toMatchObject([{ payload: 'reload schema' }]);
    await dataApi.end();
  });
});
