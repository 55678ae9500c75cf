import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { ourFunctions } from './catalogue.ts';
import { censusRules, takeCensus, violationsOf } from './census.ts';
import { plantedFunctions } from './planted-functions.ts';
import { plantedRoles } from './planted-roles.ts';
import { plantedTables } from './planted-tables.ts';
import { rolledBack } from './rolled-back.ts';

// Reads the catalogue, so that a new table, view or function that does not follow the rules fails here.
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

describe('in the schemas intent and api', () => {
  it.each(censusRules.map((rule) => [rule.rule, rule] as const))('%s', async (_, rule) => {
    expect(await violationsOf(rule, admin)).toEqual([]);
  });

  it('append-only and the other triggers are enabled, the first always', async () => {
    const { rows } = await admin.query(
      `select tgname, tgenabled from pg_trigger where tgrelid = 'intent.events'::regclass and not tgisinternal order by 1`,
    );
    expect(rows).toEqual([
      { tgname: 'append_only', tgenabled: 'A' },
      { tgname: 'never_emptied', tgenabled: 'A' },
      { tgname: 'project_budgets', tgenabled: 'O' },
      { tgname: 'project_orders', tgenabled: 'O' },
      { tgname: 'queue_reactions', tgenabled: 'O' },
    ]);
  });

  it('raises no error code that sql/ERROR_CODES.md does not list, and lists none that is not raised', async () => {
    const listed = new Set([...readFileSync('sql/ERROR_CODES.md', 'utf8').matchAll(/^\| `(IN\d{3})`/gm)].map((match) => match[1]));
    const { rows } = await admin.query<{ source: string }>(`select p.prosrc as source from ${ourFunctions} as p`);
    const raised = new Set(rows.flatMap(({ source }) => [...source.matchAll(/errcode = '(\w+)'/g)].map((match) => match[1])));
    expect(raised).toEqual(listed);
  });
});

const planted = [...plantedTables, ...plantedFunctions, ...plantedRoles];

describe('the census catches', () => {
  let before: string[];
  beforeAll(async () => {
    before = await takeCensus(admin);
  });

  it.each(planted.map((violation) => [violation.what, violation] as const))('%s', async (_, { sql, caught }) => {
    const found = await rolledBack(admin, async () => {
      await admin.query('set local role intent_owner');
      await admin.query(sql);
      await admin.query('reset role');
      return takeCensus(admin);
    });
    // What is out of order already fails above, and not here once more.
    const isNew = found.filter((violation) => !before.includes(violation));
    expect(isNew).toEqual(caught.map((beginning): unknown => expect.stringContaining(beginning)));
  });

  it('a violation of each of its rules', () => {
    const caught = planted.flatMap((violation) => violation.caught);
    expect(censusRules.filter(({ rule }) => !caught.some((message) => message.includes(`: ${rule}. `)))).toEqual([]);
  });
});
