import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../ports/errors.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { callFunction } from './call-function.ts';
import { translatingErrors } from './errors.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const passing = [
  ['a server that does not answer in time', { query_timeout: 50 }, 'select pg_sleep(1)'],
  ['a server that ends the session', {}, 'select pg_terminate_backend(pg_backend_pid())'],
  ['a server that is read-only for now', { options: '-c default_transaction_read_only=on' }, 'delete from intent.skipped_events'],
  ['a lock that somebody keeps', { options: '-c lock_timeout=1ms' }, 'lock table intent.tenants in access exclusive mode'],
] as const;

describe('what passes by itself, so that the command is tried again:', () => {
  it.each(passing)('%s', async (_, settings, statement) => {
    const holder = new pg.Client({ connectionString: database.adminUrl });
    await holder.connect();
    await holder.query('begin; lock table intent.tenants');
    const client = new pg.Client({ connectionString: database.adminUrl, ...settings });
    client.on('error', () => {});
    await client.connect();
    const inTransaction = async () => {
      await client.query('begin');
      await client.query(statement);
    };
    await expect(translatingErrors(inTransaction)).rejects.toThrow(StoreUnavailable);
    await Promise.all([client.end(), holder.end()]);
  });

  it('an answer without the row that every function of ours gives', async () => {
    const pool = new pg.Pool({ connectionString: database.adminUrl });
    await expect(callFunction(pool, 'generate_series(1, $1)', [0])).rejects.toThrow(StoreUnavailable);
    expect(await callFunction(pool, 'generate_series(1, $1)', [1])).toBe(1);
    await pool.end();
  });

  it.each([
    ['42883', 'select intent.of_another_release()'],
    ['42P01', 'select from intent.of_another_release'],
    ['42703', 'select of_another_release from intent.tenants'],
    ['3F000', 'create table of_another_release.tenants ()'],
    ['42704', `select 'x'::intent.of_another_release`],
    ['42501', 'set local role anon; select from intent.tenants'],
  ])('a schema that is older or newer than this release: %s', async (code, statement) => {
    const client = new pg.Client({ connectionString: database.adminUrl });
    await client.connect();
    await client.query('begin');
    const asked = translatingErrors(() => client.query(statement));
    await expect(asked).rejects.toThrow(StoreUnavailable);
    await expect(asked).rejects.toMatchObject({ name: 'SchemaUnfit', cause: { code } });
    await client.end();
  });

  it('not a statement that is wrong', async () => {
    const client = new pg.Client({ connectionString: database.adminUrl });
    await client.connect();
    await expect(translatingErrors(() => client.query('select 1 / 0'))).rejects.not.toThrow(StoreUnavailable);
    await client.end();
  });
});
