import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { copyDatabase, databaseUrl, dropDatabase } from '../testing/template-database.ts';
import { layStandIns } from './lay-stand-ins.ts';

const { adminUrl } = inject('database');
let name: string;
let client: pg.Client;

/** An empty database, on a server that has the roles already. */
beforeEach(async () => {
  name = `test_${randomUUID().replaceAll('-', '')}`;
  await copyDatabase(adminUrl, 'template0', name);
  client = new pg.Client({ connectionString: databaseUrl(adminUrl, name) });
  await client.connect();
});

afterEach(async () => {
  await client.end();
  await dropDatabase(adminUrl, name);
});

async function one(query: string): Promise<unknown> {
  const { rows } = await client.query({ text: query, rowMode: 'array' });
  return rows[0]?.[0];
}

async function asUser<Result>(claims: object, work: () => Promise<Result>): Promise<Result> {
  await client.query('begin');
  await client.query(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`, [
    JSON.stringify(claims),
  ]);
  try {
    return await work();
  } finally {
    await client.query('rollback');
  }
}

test('laying them twice is as good as once', async () => {
  await layStandIns(client);
  await layStandIns(client);
  expect(await one(`select count(*)::int from pg_tables where schemaname = 'auth'`)).toBe(3);
});

test('what is there is left as it is', async () => {
  await client.query(`create schema auth; create function auth.uid() returns uuid language sql as 'select null::uuid'`);
  const before = await one(`select prosrc from pg_proc where oid = 'auth.uid()'::regprocedure`);
  await layStandIns(client);
  expect(await one(`select prosrc from pg_proc where oid = 'auth.uid()'::regprocedure`)).toBe(before);
  expect(await one(`select to_regprocedure('auth.jwt()') is not null`)).toBe(true);
});

test('a column that a later stand-in has is added to an older one, and to no table of somebody else', async () => {
  const hasColumn = `select count(*)::int from pg_attribute where attrelid = 'auth.users'::regclass and attname = 'banned_until' and not attisdropped`;
  await layStandIns(client);
  await client.query('alter table auth.users drop column banned_until');
  await layStandIns(client);
  expect(await one(hasColumn)).toBe(1);
  await client.query(`alter table auth.users drop column banned_until; comment on table auth.users is 'Auth: Stores user login data'`);
  await layStandIns(client);
  expect(await one(hasColumn)).toBe(0);
});

test('what fails half-way leaves nothing behind', async () => {
  await client.query('create schema realtime; create domain realtime.messages as int');
  await expect(layStandIns(client)).rejects.toThrow('already exists');
  expect(await one(`select to_regnamespace('auth')`)).toBeNull();
});

test('auth.uid(), auth.role() and auth.jwt() read the claims, and are null without', async () => {
  await layStandIns(client);
  const claims = { sub: randomUUID(), role: 'authenticated' };
  const caller = 'select jsonb_build_array(auth.uid(), auth.role(), auth.jwt())';
  expect(await asUser(claims, () => one(caller))).toEqual([claims.sub, claims.role, claims]);
  expect(await one(caller)).toEqual([null, null, null]);
});

test('a user reads no row of auth and, without a policy, none of realtime.messages', async () => {
  await layStandIns(client);
  await client.query(`select realtime.send('{}', 'e', 't')`);
  await expect(asUser({}, () => one('select email from auth.users'))).rejects.toThrow('permission denied');
  expect(await asUser({}, () => one('select count(*)::int from realtime.messages'))).toBe(0);
});

test('realtime.send() writes a private message with an id in its payload', async () => {
  await layStandIns(client);
  await client.query(`select realtime.send('{"a": 1}', 'appended', 'room')`);
  const { rows } = await client.query('select id, topic, event, private, extension, payload from realtime.messages');
  const { id } = rows[0];
  expect(rows).toEqual([
    { id, topic: 'room', event: 'appended', private: true, extension: 'broadcast', payload: { a: 1, id } },
  ]);
});

test('realtime.send() that fails is a warning, and the transaction goes on', async () => {
  await layStandIns(client);
  const warnings: (string | undefined)[] = [];
  client.on('notice', ({ message }) => warnings.push(message));
  expect(await asUser({}, () => client.query(`select realtime.send('{}', 'e', 't')`).then(() => one('select 1')))).toBe(1);
  expect(warnings).toEqual([expect.stringContaining('ErrorSendingBroadcastMessage: new row violates row-level security')]);
});

test('partitions are made from yesterday to the day after tomorrow, and dropped after 72 hours', async () => {
  await layStandIns(client);
  await client.query(`
    set role supabase_realtime_admin;
    do $$ begin execute format(
      'create table realtime.messages_%s partition of realtime.messages for values from (%L) to (%L)',
      to_char(current_date - 4, 'YYYY_MM_DD'), current_date - 4, current_date - 3
    ); end $$;
    select realtime.keep_message_partitions();
    reset role
  `);
  const partitions = `
    select jsonb_agg(to_date(substr(relname, 10), 'YYYY_MM_DD') - current_date order by relname)
    from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'realtime.messages'::regclass`;
  expect(await one(partitions)).toEqual([-1, 0, 1, 2]);
});
