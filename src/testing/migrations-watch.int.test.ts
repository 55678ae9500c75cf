import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { createMigrationFolder, graphileMigrate, type MigrationFolder } from './migration-folder.ts';

let database: TestDatabase;
let folder: MigrationFolder;
let watch: ChildProcess;
let lines: AsyncIterator<string>;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = createMigrationFolder(['committed', 'current', 'fixtures']);
  folder.write('current/1-current.sql', '--!include behaviour.sql\n');
  watch = spawn(process.execPath, [graphileMigrate, 'watch'], {
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

describe('graphile-migrate watch', () => {
  it('puts a saved fixture into the database', async () => {
    await finished();
    const fixture = 'fixtures/intent/beds.sql';
    const saved = folder.read(fixture);
    expect(await bedCount()).toEqual({ count: 4 });
    folder.write(fixture, saved.replace('select 4;', 'select 5;'));
    await finished();
    expect(await bedCount()).toEqual({ count: 5 });
  });
});
