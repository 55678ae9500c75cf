import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { queryOnce } from '../testing/query-once.ts';

const command = fileURLToPath(new URL('intent.ts', import.meta.url));

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function doctor(databaseUrl: string): Promise<{ code: number; output: string }> {
  return promisify(execFile)(process.execPath, [command, 'doctor'], { env: { ...process.env, DATABASE_URL: databaseUrl } }).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, output: error.stdout + error.stderr }),
  );
}

describe('intent doctor', () => {
  it('says that all is well, to an operator', async () => {
    expect(await doctor(database.urlFor('intent_operator'))).toEqual({ code: 0, output: 'All is well.\n' });
  });

  it('prints what it finds, what to do, and ends with 1', async () => {
    await queryOnce(database.adminUrl, 'alter table intent.events disable trigger append_only');
    const { code, output } = await doctor(database.adminUrl);
    expect(code).toBe(1);
    expect(output).toContain('trigger disabled: append_only on intent.events\n  what is recorded can be changed or deleted\n  What to do: Run ');
    expect(output).toContain('1 found.');
  });

  it('asks for a migration where there is none, without a stack trace', async () => {
    const { code, output } = await doctor(inject('database').adminUrl);
    expect(code).toBe(1);
    expect(output).toContain('npm run db:migrate');
    expect(output).not.toContain('    at ');
  });
});
