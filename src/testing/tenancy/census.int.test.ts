import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../database.ts';

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

async function names(query: string): Promise<string[]> {
  const { rows } = await admin.query<{ name: string }>(query);
  return rows.map(({ name }) => name);
}

const ourSchemas = `('intent', 'api')`;

describe('in the schemas intent and api', () => {
  it('every table has row-level security, enabled and forced', async () => {
    expect(await names(`select relname as name from pg_class where relnamespace::regnamespace::text in ${ourSchemas}
      and relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)`)).toEqual([]);
  });

  it('every table of a tenant begins its primary key with the tenant', async () => {
    const withoutTenant = await names(`select c.relname as name from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
      where c.relnamespace = 'intent'::regnamespace
      and (select attname from pg_attribute where attrelid = c.oid and attnum = i.indkey[0]) <> 'tenant_id' order by 1`);
    expect(withoutTenant).toEqual(['claim_turns', 'message_types', 'operator_log', 'session_tenants']);
  });

  it('everything belongs to a role that cannot log in and is bound by the policies', async () => {
    expect(await names(`select distinct pg_get_userbyid(relowner) as name from pg_class where relnamespace::regnamespace::text in ${ourSchemas}
      union select pg_get_userbyid(proowner) from pg_proc where pronamespace::regnamespace::text in ${ourSchemas} order by 1`)).toEqual(['intent_owner', 'intent_system']);
    expect(await names(`select rolname as name from pg_roles where rolname in ('intent_owner', 'intent_system') and (rolcanlogin or rolbypassrls or rolsuper)`)).toEqual([]);
  });

  it('no login role of ours has a privilege on a table, or bypasses the policies', async () => {
    expect(await names(`select grantee || ': ' || table_name as name from information_schema.role_table_grants
      where grantee in ('intent_pump', 'intent_worker', 'intent_operator') and table_name not in ('backlog', 'blocked_commands', 'dead_letters')`)).toEqual([]);
    expect(await names(`select rolname as name from pg_roles where rolname ~ '^intent_' and (rolbypassrls or rolsuper or rolcreaterole or rolcreatedb)`)).toEqual([]);
  });

  it('authenticated may read rows and nothing else; anon may do nothing', async () => {
    expect(await names(`select distinct privilege_type as name from information_schema.role_table_grants
      where grantee = 'authenticated' and table_schema in ${ourSchemas}`)).toEqual(['SELECT']);
    expect(await names(`select nspname as name from pg_namespace where nspname in ${ourSchemas} and has_schema_privilege('anon', oid, 'usage')`)).toEqual([]);
  });

  it('no function can be executed by everybody', async () => {
    expect(await names(`select proname as name from pg_proc where pronamespace::regnamespace::text in ${ourSchemas}
      and exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0)`)).toEqual([]);
  });

  it('every definer function pins its search_path, with pg_temp last', async () => {
    expect(await names(`select proname as name from pg_proc where pronamespace::regnamespace::text in ${ourSchemas} and prosecdef
      and not coalesce(proconfig && array['search_path=pg_catalog, pg_temp'], false)`)).toEqual([]);
  });

  it('the functions that span tenants are the closed list', async () => {
    expect(await names(`select proname as name from pg_proc where pronamespace::regnamespace::text in ${ourSchemas}
      and prosecdef and pg_get_userbyid(proowner) = 'intent_system' order by 1`)).toEqual([
      'accept_invitation', 'add_member', 'change_role', 'claim_commands', 'command_trace', 'create_tenant',
      'custom_access_token_hook', 'dedicated_tenants', 'doctor', 'invite_member', 'log_operator', 'members',
      'my_invitations', 'my_tenants', 'prune_commands', 'read_backlog', 'read_blocked_commands', 'read_dead_letters',
      'remove_member', 'set_limits', 'stream', 'switch_tenant', 'tenant_feed',
    ]);
  });

  it('no function is marked leakproof, and no tenant function immutable', async () => {
    expect(await names(`select proname as name from pg_proc where pronamespace::regnamespace::text in ${ourSchemas}
      and (proleakproof or (provolatile = 'i' and proname ~ 'tenant|claim|current'))`)).toEqual([]);
  });

  it('every view runs as the one who asks', async () => {
    expect(await names(`select relname as name from pg_class where relnamespace::regnamespace::text in ${ourSchemas}
      and relkind in ('v', 'm') and not coalesce(reloptions && array['security_invoker=true'], false)`)).toEqual([]);
  });

  it('no table of ours is published', async () => {
    expect(await names(`select tablename as name from pg_publication_tables where schemaname in ${ourSchemas}`)).toEqual([]);
  });

  it('every table, view and function has a comment, and so has every role', async () => {
    expect(await names(`select relname as name from pg_class where relnamespace::regnamespace::text in ${ourSchemas}
      and relkind in ('r', 'p', 'v') and obj_description(oid, 'pg_class') is null
      union select proname from pg_proc where pronamespace::regnamespace::text in ${ourSchemas} and obj_description(oid, 'pg_proc') is null
      union select rolname from pg_roles where rolname ~ '^intent_' and shobj_description(oid, 'pg_authid') is null`)).toEqual([]);
  });

  it('append-only and the other triggers are enabled, the first always', async () => {
    const { rows } = await admin.query(`select tgname, tgenabled from pg_trigger where tgrelid = 'intent.events'::regclass and not tgisinternal order by 1`);
    expect(rows).toEqual([
      { tgname: 'append_only', tgenabled: 'A' },
      { tgname: 'never_emptied', tgenabled: 'A' },
      { tgname: 'project_budgets', tgenabled: 'O' },
      { tgname: 'project_orders', tgenabled: 'O' },
    ]);
  });

  it('raises no error code that sql/ERROR_CODES.md does not list, and lists none that is not raised', async () => {
    const listed = new Set([...readFileSync('sql/ERROR_CODES.md', 'utf8').matchAll(/^\| `(IN\d{3})`/gm)].map((match) => match[1]));
    const sources = await names(`select prosrc as name from pg_proc where pronamespace::regnamespace::text in ${ourSchemas}`);
    const raised = new Set(sources.flatMap((source) => [...source.matchAll(/errcode = '(\w+)'/g)].map((match) => match[1])));
    expect(raised).toEqual(listed);
  });
});
