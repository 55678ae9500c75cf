import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layStandIns } from '../local/lay-stand-ins.ts';
import { includedIn, readCommitted } from '../local/migrations/committed-fixtures.ts';
import { prepareDatabase } from '../local/prepare-database.ts';
import { projectRoot } from '../local/paths.ts';
import { readCatalogue } from './catalogue.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { createEmptyDatabase, type EmptyDatabase } from './empty-database.ts';
import { behaviourIncludes, stateIncludes, withIncludes } from './with-includes.ts';

let database: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client(database.adminUrl);
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

describe('the migrations', () => {
  it('leave a database in which sql/fixtures/ would change nothing: no fixture was edited without a migration that includes it', async () => {
    const before = await readCatalogue(admin);
    await admin.query(`begin; ${withIncludes(behaviourIncludes)}; commit`);
    expect(await readCatalogue(admin)).toEqual(before);
    expect(before.length).toBeGreaterThan(600);
  });

  it('make of an empty database what sql/fixtures/ says by itself: each table in its final form, and nothing that was left behind', async () => {
    const empty: EmptyDatabase = await createEmptyDatabase();
    const client = new pg.Client(empty.adminUrl);
    try {
      await client.connect();
      await layStandIns(client);
      await client.query(`begin; ${withIncludes(`${stateIncludes}${behaviourIncludes}`)}; commit`);
      expect(await readCatalogue(client)).toEqual(await readCatalogue(admin));
    } finally {
      await client.end();
      await empty.drop();
    }
  });

  it('include no fixture that they do not change', () => {
    const newest = new Map<string, string>();
    const unchanged: string[] = [];
    for (const { name, text } of readCommitted(join(projectRoot, 'sql'))) {
      for (const [file, fixture] of includedIn(text)) {
        if (newest.get(file) === fixture) unchanged.push(`${name}: ${file}`);
        newest.set(file, fixture);
      }
    }
    expect(unchanged).toEqual([]);
    expect(newest.size).toBeGreaterThan(200);
  });

  it('refuse a database that another line of migrations has made, in words and without a change', async () => {
    await admin.query(`delete from graphile_migrate.migrations where previous_hash is not null;
      update graphile_migrate.migrations set hash = 'sha1:of-another-line'`);
    const before = await readCatalogue(admin);
    const migrating = prepareDatabase({ adminUrl: database.adminUrl, upTo: 'committed', log: () => {}, finish: async () => {} });
    await expect(migrating).rejects.toMatchObject({
      message: expect.stringContaining('another line of migrations') as string,
      remedy: expect.stringContaining('npm start -- --fresh') as string,
    });
    expect(await readCatalogue(admin)).toEqual(before);
  });
});
