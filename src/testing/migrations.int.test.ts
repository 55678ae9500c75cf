import { createRequire } from 'node:module';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../local/process/run-program.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

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

/** The rows that fixtures write are compared as well: all of them are of the registry. */
const behaviour = `
  select 'message type ' || m.type as object, m::text as definition from intent.message_types as m
  union all
  select format('event %s of process %s', e.event_type, e.process), e::text from intent.process_events as e
  union all
  select 'function ' || p.oid::regprocedure, pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '') || p.proowner::regrole
  from pg_proc as p where p.pronamespace in ('intent'::regnamespace, 'api'::regnamespace) and p.prokind <> 'a'
  union all
  select 'aggregate ' || a.aggfnoid::regprocedure, concat(a.aggtransfn, a.aggtranstype::regtype, p.proacl, p.proowner::regrole)
  from pg_aggregate as a join pg_proc as p on p.oid = a.aggfnoid where p.pronamespace = 'intent'::regnamespace
  union all
  select 'view ' || c.oid::regclass, pg_get_viewdef(c.oid) || coalesce(c.relacl::text, '') from pg_class as c
  where c.relnamespace in ('intent'::regnamespace, 'api'::regnamespace) and c.relkind = 'v'
  union all
  select 'table ' || c.oid::regclass, concat(c.relrowsecurity, c.relforcerowsecurity, c.relacl) from pg_class as c
  where c.relnamespace in ('intent'::regnamespace, 'api'::regnamespace) and c.relkind in ('r', 'p')
  union all
  select 'trigger ' || t.tgname || ' on ' || t.tgrelid::regclass, pg_get_triggerdef(t.oid) || t.tgenabled::text from pg_trigger as t where not t.tgisinternal
  union all
  select format('policy %s on %s.%s', policyname, schemaname, tablename), concat_ws(' ', permissive, roles, cmd, qual, with_check) from pg_policies
  order by 1`;

describe('the migrations', () => {
  it('leave a database in which sql/fixtures/ would change nothing: no fixture was edited without a migration that includes it', async () => {
    const before = (await admin.query(behaviour)).rows;
    const graphileMigrate = createRequire(import.meta.url).resolve('graphile-migrate/dist/cli.js');
    const run = await runProgram(process.execPath, [graphileMigrate, 'run', 'sql/fixtures/behaviour.sql'], {
      env: { ...process.env, DATABASE_URL: database.adminUrl },
    });
    expect(run).toMatchObject({ code: 0 });
    expect((await admin.query(behaviour)).rows).toEqual(before);
    expect(before.length).toBeGreaterThan(80);
  });
});
