import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { connectToDatabase } from '../../local/connect-to-database.ts';
import { layStandIns } from '../../local/lay-stand-ins.ts';
import { migrateDatabase } from '../../local/migrate-database.ts';
import { projectRoot } from '../../local/paths.ts';
import { createTestDatabase } from '../database.ts';
import { isInstalled } from '../is-installed.ts';
import { needs } from '../needs.ts';
import { createIcuDatabase } from '../other-collation.ts';
import { queryOnce } from '../query-once.ts';
import { runSqlTest, runStatements, type SqlTestRun, statementsOf } from './run-sql-test.ts';
import { parseTap, planProblem } from './tap.ts';

// Every line of TAP is a test of this report, so the files have run before their tests are known.

const database = await createTestDatabase();
afterAll(() => database.drop());

const files = globSync('sql/tests/*.sql', { cwd: projectRoot }).toSorted();
const rowCount = `select (select count(*) from intent.events) + (select count(*) from intent.commands) + (select count(*) from intent.tenants) as rows`;
const before = await queryOnce(database.adminUrl, rowCount);
const runs: [string, SqlTestRun][] = [];
for (const file of files) runs.push([file, await runSqlTest(database.adminUrl, join(projectRoot, file))]);

describe.each(runs)('%s', (file, run) => {
  test('runs to its end, as planned', () => {
    expect(run.error).toBeUndefined();
    expect(planProblem(run)).toBeUndefined();
  });

  test('gives under psql what it gives here', needs(isInstalled('psql'), 'psql is not installed'), async () => {
    const { stdout } = await promisify(execFile)('psql', [database.adminUrl, '-f', join(projectRoot, file)]);
    expect(parseTap(stdout).tests).toEqual(run.tests);
  });

  for (const { number, name, passed, diagnostics } of run.tests) {
    test(`${number} ${name}`, () => {
      expect(passed ? 'passed' : diagnostics).toBe('passed');
    });
  }
});

describe('the SQL tests', () => {
  test('are there, and leave nothing behind', async () => {
    expect(files.length).toBeGreaterThan(10);
    expect(await queryOnce(database.adminUrl, rowCount)).toEqual(before);
    expect(await queryOnce(database.adminUrl, `select from pg_namespace where nspname in ('tap', 'tests')`)).toEqual([]);
  });

  test('give on a database that sorts by language what they give here, where keys are compared with what has its collation', { timeout: 120_000 }, async () => {
    const icu = await createIcuDatabase();
    const client = await connectToDatabase(icu.adminUrl);
    await layStandIns(client);
    await client.end();
    await migrateDatabase(icu.adminUrl, 'current');
    for (const [file, run] of runs) {
      const { error, tests } = await runSqlTest(icu.adminUrl, join(projectRoot, file));
      expect({ file, error, tests }).toEqual({ file, error: undefined, tests: run.tests });
    }
    await icu.drop();
  });
});

describe('the runner', () => {
  const tap = join(projectRoot, 'sql/tests/support/tap.sql');
  const run = (body: string) => runStatements(database.adminUrl, `begin;\n${statementsOf(tap)}\n${body}\nselect * from finish();\nrollback;`);

  const failing = [
    { assertion: `ok(false, 'it')`, says: 'failed' },
    { assertion: `ok(null, 'it')`, says: 'null' },
    { assertion: `is(1, 2, 'it')`, says: 'have: 1' },
    { assertion: `is(1, null, 'it')`, says: 'want: null' },
    { assertion: `isnt(1, 1, 'it')`, says: '1' },
    { assertion: `lives_ok('select 1 / 0', 'it')`, says: '22012' },
    { assertion: `throws_ok('select 1', 'IN001', null, 'it')`, says: 'IN001' },
    { assertion: `throws_ok('select 1 / 0', 'IN001', null, 'it')`, says: '22012' },
    { assertion: `throws_ok('select 1 / 0', '22012', 'another message', 'it')`, says: 'division by zero' },
    { assertion: `results_eq('values (1), (2)', 'values (1), (3)', 'it')`, says: '(3)' },
    { assertion: `results_eq($$values ('a' collate "C", 1)$$, $$values ('b', 1)$$, 'it')`, says: '(b,1)' },
    { assertion: `results_eq('values (1), (2)', 'values (1)', 'it')`, says: '(2)' },
    { assertion: `results_eq('values (1)', 'values (1), (2)', 'it')`, says: '(2)' },
    { assertion: `is_empty('values (1)', 'it')`, says: '(1)' },
  ];

  test.each(failing)('sees $assertion fail, with its reason', async ({ assertion, says }) => {
    const report = await run(`select plan(2); select ok(true, 'first'); select ${assertion};`);
    expect(report).toMatchObject({ error: undefined, planned: 2, tests: [{ name: 'first', passed: true }, { name: 'it', passed: false }] });
    const diagnostics = report.tests[1]!.diagnostics.toLowerCase();
    expect(diagnostics).toContain(says.toLowerCase());
    expect(diagnostics).toContain('looks like you failed 1 test');
  });

  test('sees that fewer or more tests ran than were planned, and that there is no plan', async () => {
    expect(planProblem(await run(`select plan(2); select ok(true, 'first');`))).toBe('2 tests are planned, and 1 ran');
    expect(planProblem(await run(`select plan(1); select ok(true, 'first'); select ok(true, 'second');`))).toBe('1 tests are planned, and 2 ran');
    expect(planProblem(parseTap('ok 1 - first'))).toBe('there is no plan');
  });

  test('sees a file end early, and keeps what it has found until then', async () => {
    const report = await run(`select plan(2); select ok(true, 'first'); select 1 / 0;`);
    expect(report).toMatchObject({ error: { code: '22012' }, tests: [{ name: 'first' }] });
    expect(planProblem(report)).toBe('2 tests are planned, and 1 ran');
  });
});
