import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { layStandIns } from '../local/lay-stand-ins.ts';
import { migrateDatabase } from '../local/migrate-database.ts';
import { runProgram } from '../local/process/run-program.ts';
import { append, noted } from './appends.ts';
import { createEmptyDatabase, type EmptyDatabase } from './empty-database.ts';
import { createMigrationFolder, graphileMigrate, type MigrationFolder } from './migration-folder.ts';
import { everyRow, populate, type Population } from './populate.ts';
import { claimsOf, placeOrder, queryAs, submitAs } from './tenant.ts';
import { behaviourIncludes } from './with-includes.ts';

/** The migrations' lock_timeout, once for each of two locks, and what the machine needs besides. */
const longestDelayMs = 12_000;

/** The baseline alone, which the database is made by. */
let first: MigrationFolder;
/** All of them, and one more on top: it adds a column to the log and lays the behaviour anew. */
let all: MigrationFolder;
let database: EmptyDatabase;
let url: string;
let admin: pg.Pool;
let population: Population;

beforeAll(async () => {
  first = createMigrationFolder(['committed/000001-framework.sql', 'committed/000002-app.sql']);
  all = createMigrationFolder(['committed', 'current', 'fixtures']);
  const { blankMigrationContent } = JSON.parse(all.gmrc) as { blankMigrationContent: string };
  all.write('current/3-on-top.sql', `${blankMigrationContent}alter table intent.events add column if not exists tried boolean;\n${behaviourIncludes}`);
});
afterAll(() => {
  first.remove();
  all.remove();
});

async function prepare(): Promise<void> {
  database = await createEmptyDatabase();
  url = database.adminUrl;
  admin = new pg.Pool({ connectionString: url });
  admin.on('connect', (client) => client.on('error', () => {}));
  const client = await admin.connect();
  await layStandIns(client);
  client.release();
  const migrated = await runProgram(process.execPath, [graphileMigrate, 'migrate'], { cwd: first.path, env: { ...process.env, DATABASE_URL: url } });
  expect(migrated).toMatchObject({ code: 0 });
  population = await populate(admin);
}
afterEach(async () => {
  await admin.end();
  await database.drop();
});

describe('a database in use, when the migrations after the first are applied', () => {
  it('keeps every row', async () => {
    await prepare();
    // Generated from the registry, and whose turn a pump would have: not anybody's data.
    const { message_types: _, claim_turns: __, ...before } = await everyRow(admin);
    await migrateDatabase(url, 'current', all.path);
    expect(await everyRow(admin, before)).toMatchObject(before);
    expect(Object.keys(before).filter((table) => before[table]!.length > 0)).toEqual(
      expect.arrayContaining(['tenants', 'memberships', 'commands', 'events', 'snapshots', 'orders', 'budgets', 'operator_log']));
  });

  it('goes on where it was: streams, positions, claims, waiting commands and first results', async () => {
    await prepare();
    await migrateDatabase(url, 'current', all.path);
    const { tenant, orderId, succeeded, pending, claimed } = population;
    const owner = claimsOf(tenant, 'owner');
    expect(await submitAs(admin, owner, { ...placeOrder(orderId), commandId: succeeded.commandId })).toMatchObject({ duplicate: true, status: 'succeeded' });
    expect((await admin.query('select intent.mark_dispatched($1, $2, $3) as done', [tenant.tenantId, claimed.commandId, claimed.fencingToken])).rows).toEqual([{ done: true }]);
    expect((await admin.query(`select command_id from intent.claim_commands('a pump', 10, '1 minute')`)).rows).toEqual([{ command_id: pending.commandId }]);
    const appended = await append(admin, tenant.tenantId, { aggregateType: 'order', aggregateId: orderId, expectedVersion: 2, events: [noted()], commandId: pending.commandId });
    expect(appended).toMatchObject({ firstVersion: 3, firstPosition: 4, duplicate: false });
    const [hydrated] = await queryAs<{ stream: unknown }>(admin, owner, `select api.hydrate('order', $1, 1) as stream`, [orderId]);
    expect(hydrated!.stream).toMatchObject({ version: 3, position: 4, snapshot: { version: 2 }, events: [{ version: 3 }] });
    expect((await admin.query('select * from intent.doctor()')).rows).toEqual([]);
  });

  it('neither waits for a long reader nor keeps the application waiting: it gives up, changes nothing, and succeeds later', async () => {
    await prepare();
    const before = await columns();
    const reader = await admin.connect();
    await reader.query('begin; select from intent.events');
    let isMigrating = true;
    const migrating = migrateDatabase(url, 'current', all.path).finally(() => {
      isMigrating = false;
    });
    const application = (async () => {
      const delaysMs: number[] = [];
      while (isMigrating) delaysMs.push(await submissionMs());
      return delaysMs;
    })();
    try {
      await expect(migrating).rejects.toThrow(/lock timeout|deadlock detected/);
      expect(Math.max(...(await application))).toBeLessThan(longestDelayMs);
      expect(await columns()).toEqual(before);
    } finally {
      await reader.query('commit');
      reader.release();
    }
    await migrateDatabase(url, 'current', all.path);
    expect(await columns()).toEqual([...before, { attname: 'tried' }]);
  });

  async function columns(): Promise<unknown[]> {
    const { rows } = await admin.query<object>(`select attname from pg_attribute where attrelid = 'intent.events'::regclass and attnum > 0 order by attnum`);
    return rows;
  }

  /** As a client does it: the same command again, if the migration was in its way. */
  async function submissionMs(): Promise<number> {
    const began = performance.now();
    const command = { ...placeOrder(), commandId: randomUUID() };
    for (;;) {
      try {
        await submitAs(admin, claimsOf(population.tenant, 'owner'), command);
        return performance.now() - began;
      } catch (error) {
        if ((error as { code?: string }).code !== '40P01') throw error;
      }
    }
  }
});
