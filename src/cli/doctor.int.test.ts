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
  it('says that all is well, to an operator, and what it may not look at', async () => {
    const output = 'Not examined: whether each member is still a user of Auth. This login may not read auth.users; the administrator of the project may.\nAll is well.\n';
    expect(await doctor(database.urlFor('intent_operator'))).toEqual({ code: 0, output });
  });

  it('names each member that Auth does not know any more, to who may look, and what ends its memberships', async () => {
    const [tenantId, known, deleted] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
    await queryOnce(database.adminUrl, `insert into auth.users (id, email, encrypted_password) values ('${known}', '${known}@rose.example', '')`);
    await queryOnce(database.adminUrl, `select intent.create_tenant('${tenantId}', 'Rose'), intent.add_member('${tenantId}', '${known}', 'owner'),
      intent.add_member('${tenantId}', '${deleted}', 'member')`);
    const { code, output } = await doctor(database.adminUrl);
    expect(output).toContain(`member without a user: ${deleted}\n`);
    expect(output).toContain(`What to do: select intent.remove_user('${deleted}');\n1 found.`);
    expect(code).toBe(1);
    await queryOnce(database.adminUrl, `select intent.remove_user('${deleted}')`);
    expect(await doctor(database.adminUrl)).toEqual({ code: 0, output: 'All is well.\n' });
  });

  it('does not take users that a policy hides from the login for users that are gone', async () => {
    await queryOnce(database.adminUrl, 'grant usage on schema auth to intent_operator; grant select (id) on auth.users to intent_operator');
    expect((await doctor(database.urlFor('intent_operator'))).output).toContain('Not examined: ');
  });

  it.each([
    ['default_transaction_read_only', 'on', 'database is read-only'],
    ['row_security', 'off', 'triggers and policies are off'],
  ])('works on a database with %s = %s, which it finds', async (setting, value, problem) => {
    await queryOnce(inject('database').adminUrl, `alter database ${database.name} set ${setting} = ${value}`);
    for (const url of [database.adminUrl, database.urlFor('intent_operator')]) {
      const { code, output } = await doctor(url);
      expect(output).toContain(`${problem}: database ${database.name}\n`);
      expect(output).toContain(`alter database ${database.name} reset ${setting};`);
      expect(code).toBe(1);
    }
    await queryOnce(inject('database').adminUrl, `alter database ${database.name} reset all`);
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
