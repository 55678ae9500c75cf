import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { layStandIns } from '../local/lay-stand-ins.ts';
import { migrateDatabase } from '../local/migrate-database.ts';
import { runProgram } from '../local/process/run-program.ts';
import { append, noted } from './appends.ts';
import { createMigrationFolder, graphileMigrate, type MigrationFolder } from './migration-folder.ts';
import { createIcuDatabase, type EmptyDatabase, unlikeInOrder } from './other-collation.ts';
import { everyRow, populate, type Population } from './populate.ts';

/** As it was when keys were compared in the order of the database's language. */
let first: MigrationFolder;
let database: EmptyDatabase;
let admin: pg.Pool;
let population: Population;

beforeAll(() => {
  first = createMigrationFolder(['committed/000001-first.sql']);
});
afterAll(() => first.remove());

beforeEach(async () => {
  database = await createIcuDatabase();
  admin = new pg.Pool({ connectionString: database.adminUrl });
  admin.on('connect', (client) => client.on('error', () => {}));
  const client = await admin.connect();
  await layStandIns(client);
  client.release();
  const env = { ...process.env, DATABASE_URL: database.adminUrl };
  const { code, output } = await runProgram(process.execPath, [graphileMigrate, 'migrate'], { cwd: first.path, env });
  if (code !== 0) throw new Error(output);
  population = await populate(admin);
  for (const aggregateId of unlikeInOrder) await append(admin, population.tenant.tenantId, note(aggregateId, 0));
});
afterEach(async () => {
  await admin.end();
  await database.drop();
});

const note = (aggregateId: string, expectedVersion: number) => ({ aggregateType: 'note', aggregateId, expectedVersion, events: [noted()] });
const uniqueIndex = 'intent.events_tenant_id_aggregate_type_aggregate_id_version_key';

/** Where a table's rows or an index's entries are on the disk: another file after it was written anew. */
async function fileOf(relation: string): Promise<unknown> {
  return (await admin.query<{ file: unknown }>('select pg_relation_filenode($1::regclass) as file', [relation])).rows[0]!.file;
}

describe('a database that sorts by language, in use, when keys become bytes', { timeout: 60_000 }, () => {
  it('keeps every row, writes none anew, finds each stream and refuses a version that is there', async () => {
    const { message_types: _, claim_turns: __, ...before } = await everyRow(admin);
    const file = await fileOf('intent.events');
    await migrateDatabase(database.adminUrl, 'current');

    expect(await everyRow(admin, before)).toMatchObject(before);
    expect(await fileOf('intent.events')).toBe(file);
    const { tenantId } = population.tenant;
    for (const aggregateId of unlikeInOrder) {
      expect(await append(admin, tenantId, note(aggregateId, 1))).toMatchObject({ firstVersion: 2 });
      await expect(append(admin, tenantId, note(aggregateId, 1))).rejects.toMatchObject({ code: 'IN001' });
    }
    expect((await admin.query('select problem, object from intent.doctor()')).rows).toEqual([]);
  });

  it('has every view, trigger and index that a new one has', async () => {
    await migrateDatabase(database.adminUrl, 'current');
    const inUse = await definitions();
    await admin.query('drop schema intent, api cascade; drop schema graphile_migrate cascade');
    await migrateDatabase(database.adminUrl, 'current');
    expect(inUse).toEqual(await definitions());
    expect(inUse.length).toBeGreaterThan(60);
  });

  it("takes over the log's index that was built beforehand, and so builds none of it under its lock", async () => {
    await admin.query(`create unique index concurrently events_as_bytes
      on intent.events (tenant_id, aggregate_type collate "C", aggregate_id collate "C", version)`);
    const file = await fileOf('intent.events_as_bytes');
    await migrateDatabase(database.adminUrl, 'current');
    expect(await fileOf(uniqueIndex)).toBe(file);
    const { rows } = await admin.query(`select count(*)::int as indexes from pg_index where indrelid = 'intent.events'::regclass`);
    expect(rows).toEqual([{ indexes: 2 }]);
    await migrateDatabase(database.adminUrl, 'current');
    expect(await fileOf(uniqueIndex)).toBe(file);
  });
});

async function definitions(): Promise<unknown[]> {
  const { rows } = await admin.query<object>(`
    select 'view ' || c.relname as object, pg_get_viewdef(c.oid) || coalesce(c.relacl::text, '') as definition from pg_class as c
    where c.relnamespace in ('intent'::regnamespace, 'api'::regnamespace) and c.relkind = 'v'
    union all select 'trigger ' || t.tgname, pg_get_triggerdef(t.oid) || t.tgenabled::text from pg_trigger as t
    join pg_class as c on c.oid = t.tgrelid where c.relnamespace = 'intent'::regnamespace and not t.tgisinternal
    union all select 'index ' || indexname, indexdef from pg_indexes where schemaname = 'intent'
    union all select 'column ' || c.relname || '.' || a.attname, a.attcollation::regcollation::text from pg_attribute as a
    join pg_class as c on c.oid = a.attrelid where c.relnamespace = 'intent'::regnamespace and c.relkind in ('r', 'p', 'c')
    order by 1, 2`);
  return rows;
}
