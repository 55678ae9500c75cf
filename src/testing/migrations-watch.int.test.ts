import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { projectRoot } from '../local/paths.ts';
import { expectSoon } from './expect-soon.ts';
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
async function said(words: string): Promise<void> {
  for (let line = await lines.next(); ; line = await lines.next()) {
    if (line.done === true) throw new Error('db:watch has ended.');
    if (line.value.includes(words)) return;
  }
}

async function query(text: string): Promise<unknown[]> {
  const client = new pg.Client(database.adminUrl);
  await client.connect();
  try {
    return (await client.query<object>(text)).rows;
  } finally {
    await client.end();
  }
}

const slotCount = () => query('select intent.wait_slot_count() as count');

describe('npm run db:watch', () => {
  const fixture = 'fixtures/doorbell/wait_slot_count.sql';

  it('puts a saved fixture into the database, and has the Data API look again', async () => {
    await said('Finished');
    const dataApi = new pg.Client(database.adminUrl);
    await dataApi.connect();
    const told = once(dataApi, 'notification');
    await dataApi.query('listen pgrst');
    expect(await slotCount()).toEqual([{ count: 4 }]);
    folder.write(fixture, folder.read(fixture).replace('select 4;', 'select 5;'));
    await expectSoon(slotCount).toEqual([{ count: 5 }]);
    expect(await told).toMatchObject([{ payload: 'reload schema' }]);
    await dataApi.end();
  });

  it('takes a change back when the fixture is saved as it was committed', async () => {
    folder.write(fixture, folder.read(fixture).replace('select 5;', 'select 4;'));
    await expectSoon(slotCount).toEqual([{ count: 4 }]);
  });

  it('lays a new fixture when the list has it', async () => {
    folder.write('fixtures/doorbell/tried.sql', "create or replace function intent.tried() returns integer language sql as 'select 1';\n");
    folder.write('fixtures/behaviour.sql', folder.read('fixtures/behaviour.sql').replace('--!include doorbell/wait_slot_count.sql', '$&\n--!include doorbell/tried.sql'));
    await expectSoon(() => query("select to_regprocedure('intent.tried()') is not null as there")).toEqual([{ there: true }]);
  });

  it('lays what is written in sql/current/, and says of a table\'s file that it is for empty databases', async () => {
    const told = said('sql/fixtures/app/tables/orders.sql is for empty databases: write the way there in sql/current/1-current.sql.');
    folder.write('fixtures/app/tables/orders.sql', `${folder.read('fixtures/app/tables/orders.sql')}-- Changed.\n`);
    await told;
    folder.write('current/1-current.sql', 'alter table intent.orders add column if not exists tried integer;\n');
    await expectSoon(() => query("select attname from pg_attribute where attrelid = 'intent.orders'::regclass and attname = 'tried'")).toEqual([{ attname: 'tried' }]);
  });
});
