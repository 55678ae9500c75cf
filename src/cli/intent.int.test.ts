import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { queryOnce } from '../testing/query-once.ts';
import { databaseUrl, dropDatabase } from '../testing/template-database.ts';

const command = fileURLToPath(new URL('intent.ts', import.meta.url));

interface Run {
  readonly code: number;
  readonly output: string;
}

async function intent(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const run = promisify(execFile)(process.execPath, [command, ...args], { env: { ...process.env, ...env } });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, output: error.stdout + error.stderr }),
  );
}

describe('the command line', () => {
  it('explains itself', async () => {
    const { code, output } = await intent(['--help']);
    expect(code).toBe(0);
    expect(output).toContain('--fresh');
  });

  const misunderstood = [{ args: ['fly'] }, { args: [] }, { args: ['start', '--faster'] }, { args: ['start', 'now'] }];

  it.each(misunderstood)('answers $args with its help and exit code 2', async ({ args }) => {
    const { code, output } = await intent(args);
    expect(code).toBe(2);
    expect(output).toContain('Usage: intent <command>');
  });
});

describe('migrate', () => {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const { adminUrl } = inject('database');

  const query = (database: string, text: string) => queryOnce(databaseUrl(adminUrl, database), text);

  beforeAll(() => query('postgres', `create database ${name}`));
  afterAll(() => dropDatabase(adminUrl, name));

  it('asks for DATABASE_URL in words, without a stack trace', async () => {
    const { code, output } = await intent(['migrate'], { DATABASE_URL: '' });
    expect(code).toBe(1);
    expect(output).toContain('DATABASE_URL is not set');
    expect(output).not.toContain('    at ');
  });

  it('says so when the server cannot be reached', async () => {
    const { code, output } = await intent(['migrate'], { DATABASE_URL: 'postgresql://postgres@127.0.0.1:1/postgres' });
    expect(code).toBe(1);
    expect(output).toContain('The database cannot be reached');
    expect(output).not.toContain('    at ');
  });

  it('brings an empty database to the state of sql/, repeatably, and leaves passwords of existing roles alone', async () => {
    const passwords = `select rolname, rolpassword from pg_authid where rolname like 'intent%' order by rolname`;
    const before = await query('postgres', passwords);
    const env = { DATABASE_URL: databaseUrl(adminUrl, name), INTENT_WORKER_PASSWORD: 'another password' };
    for (const run of [await intent(['migrate'], env), await intent(['migrate'], env)]) {
      expect(run).toMatchObject({ code: 0 });
      expect(run.output).toContain('Role intent_worker was there: password unchanged.');
    }
    expect(await query('postgres', passwords)).toEqual(before);
    expect(await query(name, `select to_regclass('intent.events') is not null as migrated`)).toEqual([{ migrated: true }]);
  });

  it.each([2, 5])('waits for one that is under way: %i at once, on an empty database and on a migrated one', async (count) => {
    const database = `test_${randomUUID().replaceAll('-', '')}`;
    await query('postgres', `create database ${database}`);
    const env = { DATABASE_URL: databaseUrl(adminUrl, database) };
    for (const state of ['empty', 'migrated']) {
      const runs = await Promise.all(Array.from({ length: count }, () => intent(['migrate'], env)));
      expect({ state, codes: runs.map(({ code }) => code) }).toEqual({ state, codes: runs.map(() => 0) });
      expect(runs.filter(({ output }) => output.includes('Another migration of this database is under way')).length).toBeLessThan(count);
    }
    await dropDatabase(adminUrl, database);
  }, 120_000);

  it('says for what it waits, and ends at Ctrl-C', async () => {
    const holder = new pg.Client(databaseUrl(adminUrl, name));
    await holder.connect();
    await holder.query(`select pg_advisory_lock(hashtextextended('intent.migrate', 0))`);
    const child = spawn(process.execPath, [command, 'migrate'], { env: { ...process.env, DATABASE_URL: databaseUrl(adminUrl, name) }, stdio: ['ignore', 'pipe', 'ignore'] });
    const exited = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('Another migration of this database is under way')) child.kill('SIGINT');
    }
    expect(await exited).toEqual([null, 'SIGINT']);
    await holder.end();
  });

  async function withNewDatabase(use: (database: string) => Promise<void>): Promise<void> {
    const database = `test_${randomUUID().replaceAll('-', '')}`;
    await query('postgres', `create database ${database}`);
    try {
      await use(database);
    } finally {
      await dropDatabase(adminUrl, database);
    }
  }

  it('begins again if the migration of another database of the server changes a role at the same moment', async () => {
    await withNewDatabase(async (database) => {
      const other = new pg.Client(databaseUrl(adminUrl, 'postgres'));
      await other.connect();
      await other.query(`begin; comment on role intent_pump is 'Of another database.'`);
      const migrating = intent(['migrate'], { DATABASE_URL: databaseUrl(adminUrl, database) });
      const waiting = `select from pg_stat_activity where datname = '${database}' and wait_event_type = 'Lock'`;
      await expect.poll(() => query('postgres', waiting), { timeout: 60_000, interval: 10 }).toHaveLength(1);
      await other.query('commit');
      await other.end();
      expect(await migrating).toMatchObject({ code: 0 });
    });
  }, 120_000);

  it('outlasts a limit to idle sessions', async () => {
    await withNewDatabase(async (database) => {
      await query('postgres', `alter database ${database} set idle_session_timeout = '1s'`);
      expect(await intent(['migrate'], { DATABASE_URL: databaseUrl(adminUrl, database) })).toMatchObject({ code: 0 });
    });
  }, 60_000);

  it('says so where the database is read-only', async () => {
    await withNewDatabase(async (database) => {
      const env = { DATABASE_URL: databaseUrl(adminUrl, database) };
      await intent(['migrate'], env);
      await query('postgres', `alter database ${database} set default_transaction_read_only = on`);
      const migrating = await intent(['migrate'], env);
      expect(migrating).toMatchObject({ code: 1, output: expect.stringContaining('is read-only') as string });
      expect(migrating.output).not.toContain('    at ');
    });
  });
});

describe('a login that may not do what is asked for', () => {
  const { adminUrl, name, rolePassword } = inject('database');

  const refused = [['doctor', 'intent_worker'], ['doctor', 'intent_pump'], ['migrate', 'intent_operator'], ['stand-ins', 'intent_operator']] as const;

  it.each(refused)('%s says so to %s in words, without a stack trace', async (what, user) => {
    const { code, output } = await intent([what], { DATABASE_URL: databaseUrl(adminUrl, name, { user, password: rolePassword }) });
    expect(code).toBe(1);
    expect(output).toContain('The login of DATABASE_URL may not do this: permission denied');
    expect(output).toContain("Give an administrator's");
    expect(output).not.toContain('    at ');
  });
});
