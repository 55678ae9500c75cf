import type { ClientBase, Pool } from 'pg';

const ours = `('intent'::regnamespace, 'api'::regnamespace)`;

/**
 * All that the migrations make of a database, one line an object, with its owner, its grants and its comment: two databases with the same
 * lines behave alike. Columns come by name, since their order is that of their making. The roles are the server's, not the database's.
 */
const catalogue = `
  select 'message type ' || m.type as object, m::text as definition from intent.message_types as m
  union all
  select format('event %s of process %s', e.event_type, e.process), e::text from intent.process_events as e
  union all
  select 'read model ' || r.read_model, concat_ws(' ', r.aggregate_column, r.trigger_name) from intent.read_models as r
  union all
  select 'schema ' || nspname, concat_ws(' ', nspacl, nspowner::regrole, obj_description(oid)) from pg_namespace where oid in ${ours}
  union all
  select 'default privileges of ' || defaclrole::regrole, concat(defaclobjtype, defaclacl) from pg_default_acl where defaclrole::regrole::text like 'intent_%'
  union all
  select 'function ' || p.oid::regprocedure, concat_ws(' ', pg_get_functiondef(p.oid), p.proacl, p.proowner::regrole, obj_description(p.oid))
  from pg_proc as p where p.pronamespace in ${ours} and p.prokind <> 'a'
  union all
  select 'aggregate ' || a.aggfnoid::regprocedure, concat_ws(' ', a.aggtransfn, a.aggtranstype::regtype, p.proacl, p.proowner::regrole)
  from pg_aggregate as a join pg_proc as p on p.oid = a.aggfnoid where p.pronamespace in ${ours}
  union all
  select 'type ' || t.oid::regtype, concat_ws(' ', t.typacl, t.typowner::regrole, obj_description(t.oid))
  from pg_type as t join pg_class as c on c.oid = t.typrelid where t.typnamespace in ${ours} and c.relkind = 'c'
  union all
  select 'relation ' || c.oid::regclass,
    concat_ws(' ', c.relkind, c.reloptions, c.relrowsecurity, c.relforcerowsecurity, c.relacl, c.relowner::regrole, obj_description(c.oid))
  from pg_class as c where c.relnamespace in ${ours} and c.relkind <> 'i'
  union all
  select 'view ' || c.oid::regclass, pg_get_viewdef(c.oid) from pg_class as c where c.relnamespace in ${ours} and c.relkind = 'v'
  union all
  select format('column %s.%s', c.oid::regclass, a.attname),
    concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation::regcollation, a.attidentity, a.attgenerated,
      pg_get_expr(d.adbin, d.adrelid), a.attacl, col_description(c.oid, a.attnum))
  from pg_attribute as a
  join pg_class as c on c.oid = a.attrelid
  left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where c.relnamespace in ${ours} and c.relkind in ('r', 'p', 'v', 'c') and a.attnum > 0 and not a.attisdropped
  union all
  select format('constraint %s on %s', conname, conrelid::regclass), pg_get_constraintdef(oid)
  from pg_constraint where connamespace in ${ours} and contype <> 'n'
  union all
  select 'index ' || indexname, indexdef from pg_indexes where schemaname in ('intent', 'api')
  union all
  select 'trigger ' || t.tgname || ' on ' || t.tgrelid::regclass, pg_get_triggerdef(t.oid) || t.tgenabled::text from pg_trigger as t where not t.tgisinternal
  union all
  select format('policy %s on %s.%s', policyname, schemaname, tablename), concat_ws(' ', permissive, roles, cmd, qual, with_check) from pg_policies
  order by 1`;

export interface CatalogueLine {
  readonly object: string;
  readonly definition: string;
}

export async function readCatalogue(admin: ClientBase | Pool): Promise<readonly CatalogueLine[]> {
  return (await admin.query<{ object: string; definition: string }>(catalogue)).rows;
}
