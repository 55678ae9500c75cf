import { hasTenant, ourSchemas, ourTables, tenantTables } from './catalogue.ts';
import type { CensusRule } from './census-rule.ts';

/** Without a tenant in their key: what the registry knows, the turn of the pump, what spans tenants, what belongs to a session. */
const keyedOtherwise = `('intent.claim_turns', 'intent.message_types', 'intent.operator_log', 'intent.process_events',
  'intent.read_models', 'intent.session_tenants')`;

const bytes = `'pg_catalog."C"'::regcollation`;
const wall = '(tenant_id = ( SELECT intent.current_tenant_id() AS current_tenant_id))';
const userWall = '(user_id = ( SELECT intent.current_user_id() AS current_user_id))';
const entered = '(tenant_id = intent.entered_tenant_id())';
/** The wall of a table, as the catalogue prints it. */
const wallOf = (table: string) => `case ${table}::regclass::text when 'intent.memberships' then '${userWall}' else '${wall}' end`;
const policy = `p.polrelid::regclass || '.' || p.polname`;
const whole = (column: string) => `pg_get_expr(${column}, p.polrelid)`;

export const tableRules: readonly CensusRule[] = [
  {
    rule: 'every table has row-level security, enabled and forced',
    remedy: 'Add sql/fixtures/policies/<table>.sql with `enable row level security` and `force row level security`',
    violations: `select c.oid::regclass::text as name from ${ourTables} as c
      where not (c.relrowsecurity and c.relforcerowsecurity)`,
  },
  {
    rule: 'a primary key begins with tenant_id',
    remedy: 'Put tenant_id first into the key; a table without a tenant is named in table-rules.ts, with the reason',
    violations: `select c.oid::regclass::text as name from ${ourTables} as c
      left join pg_index as i on i.indrelid = c.oid and i.indisprimary
      where c.oid::regclass::text not in ${keyedOtherwise} and not coalesce(${hasTenant('array[i.indkey[0]]', 'c.oid')}, false)`,
  },
  {
    rule: 'a tenant_id is never null',
    remedy: 'Declare the column `not null`',
    // An operator's look across all tenants has none.
    violations: `select c.oid::regclass::text as name from ${tenantTables} as c
      join pg_attribute as a on a.attrelid = c.oid and a.attname = 'tenant_id'
      where not a.attnotnull and c.oid::regclass::text <> 'intent.operator_log'`,
  },
  {
    rule: 'a unique index contains tenant_id, so that nobody learns of the ids of others',
    remedy: 'Add tenant_id to the index',
    violations: `select i.indexrelid::regclass::text as name from pg_index as i join ${tenantTables} as c on c.oid = i.indrelid
      where i.indisunique and not ${hasTenant('i.indkey', 'c.oid')} and c.oid::regclass::text not in ${keyedOtherwise}`,
  },
  {
    rule: 'an index compares text as bytes',
    remedy: 'Declare its text columns `collate "C"`: the order of other collations changes with the C library, and corrupts the index',
    violations: `select i.indexrelid::regclass::text as name from pg_index as i join ${ourTables} as c on c.oid = i.indrelid
      where not i.indcollation::oid[] <@ array[0, ${bytes}]::oid[]`,
  },
  {
    rule: 'a column is compared as bytes if one of its name stands in an index',
    remedy: 'Declare it `collate "C"`, so that no comparison of the two is by another order',
    violations: `select c.oid::regclass || '.' || a.attname as name from ${ourTables} as c
      join pg_attribute as a on a.attrelid = c.oid and a.attcollation not in (0, ${bytes})
      where exists (select from ${ourTables} as other join pg_attribute as b on b.attrelid = other.oid and b.attname = a.attname
        join pg_index as i on i.indrelid = other.oid and b.attnum = any (i.indkey) where b.attcollation = ${bytes})`,
  },
  {
    rule: 'a foreign key contains tenant_id on both sides',
    remedy: 'Add tenant_id to the foreign key, and to the key that it refers to',
    violations: `select k.conrelid::regclass || '.' || k.conname as name from pg_constraint as k
      join ${tenantTables} as c on c.oid = k.conrelid join ${tenantTables} as other on other.oid = k.confrelid
      where k.contype = 'f' and not exists (
        select from unnest(k.conkey, k.confkey) as pair (ours, theirs)
        where ${hasTenant('array[pair.ours]', 'k.conrelid')} and ${hasTenant('array[pair.theirs]', 'k.confrelid')})`,
  },
  {
    rule: 'a table that people touch has a restrictive policy that keeps them to what is theirs',
    remedy: 'Add the policy tenant_wall, as in sql/fixtures/policies/events.sql',
    // The walls look the membership up, so that its own wall is by user.
    violations: `select c.oid::regclass::text as name from ${ourTables} as c
      where (has_any_column_privilege('authenticated', c.oid, 'select, insert, update') or has_table_privilege('authenticated', c.oid, 'delete'))
      and not exists (select from pg_policy as p where p.polrelid = c.oid and not p.polpermissive and p.polcmd = '*'
        and p.polroles = array['authenticated'::regrole::oid]
        and ${whole('p.polqual')} = ${wallOf('c.oid')} and ${whole('p.polwithcheck')} = ${wallOf('c.oid')})`,
  },
  {
    rule: 'a permissive policy for people holds the wall too, so that one lost policy opens nothing',
    remedy: 'Let it begin with `tenant_id = (select intent.current_tenant_id())`, and go on with `and` if it must',
    // An OR around it would begin with one parenthesis more.
    violations: `select ${policy} as name from pg_policy as p join ${ourTables} as c on c.oid = p.polrelid
      where 'authenticated'::regrole = any (p.polroles) and p.polpermissive
      and exists (
        select from (values (${whole('p.polqual')}), (${whole('p.polwithcheck')})) as given (expression)
        where expression <> ${wallOf('c.oid')} and not starts_with(expression, '(' || ${wallOf('c.oid')} || ' AND '))`,
  },
  {
    rule: "an owner's policy keeps its functions to the tenant that they have entered",
    remedy: 'Compare tenant_id with intent.entered_tenant_id(), in `using` and in `with check`',
    violations: `select ${policy} as name from pg_policy as p join ${tenantTables} as c on c.oid = p.polrelid
      where 'intent_owner'::regrole = any (p.polroles) and p.polpermissive
      and not (coalesce(${whole('p.polqual')}, '${entered}') = '${entered}'
        and coalesce(${whole('p.polwithcheck')}, '${entered}') = '${entered}')
      and (p.polrelid::regclass::text, p.polname) <> ('intent.memberships', 'owner_looks_up')`,
  },
  {
    rule: 'policies are for authenticated, intent_owner and intent_system, and for nobody else',
    remedy: 'Name the role in the policy; what spans tenants goes into a function of the closed list',
    violations: `select ${policy} as name from pg_policy as p join ${ourTables} as c on c.oid = p.polrelid
      where not p.polroles <@ array['authenticated', 'intent_owner', 'intent_system']::regrole[]::oid[]`,
  },
  {
    rule: 'the policies of intent_system are on the tables that its functions need',
    remedy: 'Take the policy away, or add the table to the list in table-rules.ts, with the function that needs it',
    violations: `select ${policy} as name from pg_policy as p join ${ourTables} as c on c.oid = p.polrelid
      where 'intent_system'::regrole = any (p.polroles) and c.relname not in (
        'checkpoints', 'claim_turns', 'commands', 'events', 'membership_log', 'memberships', 'message_types', 'operator_log',
        'process_trace', 'processes', 'reactions', 'read_models', 'schedules', 'session_tenants', 'skipped_events', 'snapshots', 'tenants',
        'withheld_hints')`,
  },
  {
    rule: 'every view runs as the one who asks',
    remedy: 'Create it `with (security_invoker = true)`',
    violations: `select c.oid::regclass::text as name from pg_class as c where c.relnamespace in ${ourSchemas}
      and c.relkind = 'v' and not coalesce(c.reloptions && array['security_invoker=true'], false)`,
  },
  {
    rule: 'there is no materialized view and no foreign table: policies do not bind them',
    remedy: 'Make it a table with policies, kept by a trigger, as sql/fixtures/app/order/project_orders.sql does',
    violations: `select c.oid::regclass::text as name from pg_class as c
      where c.relnamespace in ${ourSchemas} and c.relkind in ('m', 'f')`,
  },
  {
    rule: 'no table of ours is published: publications bypass the policies',
    remedy: 'Take it out of the publication; clients hear of changes by private broadcasts',
    violations: `select pubname || ': ' || schemaname || '.' || tablename as name from pg_publication_tables
      where schemaname in ('intent', 'api')`,
  },
];
