import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../src/testing/database.ts';
import { createHouseholds, rose, thorn } from '../src/testing/tenancy/households.ts';
import { takeWallsDown } from '../src/testing/tenancy/walls.ts';

const script = fileURLToPath(new URL('test-rls.ts', import.meta.url));

let database: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client(database.adminUrl);
  await admin.connect();
  await createHouseholds(admin);
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

async function testRls(args: readonly string[] = [], url = database.adminUrl): Promise<{ code: number; output: string }> {
  return promisify(execFile)(process.execPath, [script, ...args], { env: { ...process.env, DATABASE_URL: url } }).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, output: error.stdout + error.stderr }),
  );
}

describe('npm run test:rls', () => {
  it('prints what each kind of person is shown, beside what the tenant has', async () => {
    const { code, output } = await testRls(['--tenant', rose.tenantId]);
    expect(output).toMatch(/^ +owner \(1\) +member \(1\) +stranger \(1\) +owned$/m);
    expect(output).toMatch(/^intent\.commands +2 +2 +0 +2$/m);
    expect(output).toMatch(/^api\.membership_log +2 +0 +0 +2$/m);
    expect(output).not.toContain(thorn.tenantId);
    expect(output).toContain('Nobody is shown a row that it must not see.');
    expect(code).toBe(0);
  });

  it('ends with 1 where somebody is shown too much, and names table and person', async () => {
    await takeWallsDown(admin, 'orders');
    const { code, output } = await testRls();
    expect(output).toContain(`LEAK: intent.orders shows 1 rows that it must not to the owner ${rose.owner}`);
    expect(output).toContain(`LEAK: api.orders shows 1 rows that it must not to the member ${thorn.member}`);
    expect(output).toMatch(/LEAK: intent\.orders shows 2 rows that it must not to the stranger /);
    expect(output).not.toContain('LEAK: intent.budgets');
    expect(code).toBe(1);
  });

  it('asks for another login where policies bind this one', async () => {
    const { code, output } = await testRls([], database.urlFor('intent_operator'));
    expect(output).toContain("Set DATABASE_URL to an administrator's.");
    expect(code).toBe(1);
  });

  it('says so where there is no such tenant', async () => {
    const { code, output } = await testRls(['--tenant', rose.owner]);
    expect(output).toContain('There is no such tenant.');
    expect(code).toBe(1);
  });

  it.each([['--help', 0], ['--everything', 2]])('answers %s with its help and exit code %i', async (option, code) => {
    const answer = await testRls([option]);
    expect(answer.output).toContain('Usage: npm run test:rls');
    expect(answer.code).toBe(code);
  });
});
