import type { Planted } from './planted.ts';

const commented = (table: string) => `
  do $$ declare name text; begin
    for name in select attname from pg_attribute where attrelid = '${table}'::regclass and attnum > 0 loop
      execute format('comment on column ${table}.%I is ''Planted.''', name);
    end loop; end $$;`;

const walled = (table: string) => `
  alter table ${table} enable row level security;
  alter table ${table} force row level security;
  comment on table ${table} is 'Planted.'; ${commented(table)}`;

export const plantedTables: readonly Planted[] = [
  {
    what: 'an unprotected table',
    sql: `create table intent.planted (tenant_id uuid primary key); comment on table intent.planted is 'Planted.'; ${commented('intent.planted')}`,
    caught: ['intent.planted: every table has row-level security, enabled and forced. Add sql/fixtures/policies/<table>.sql'],
  },
  {
    what: 'a table whose row-level security is enabled and not forced',
    sql: `create table intent.planted (tenant_id uuid primary key); ${walled('intent.planted')}
      alter table intent.planted no force row level security`,
    caught: ['intent.planted: every table has row-level security, enabled and forced. Add'],
  },
  {
    what: 'a partition without the protection of its table',
    sql: `create table intent.planted (tenant_id uuid primary key) partition by hash (tenant_id); ${walled('intent.planted')}
      create table intent.planted_0 partition of intent.planted for values with (modulus 1, remainder 0);
      comment on table intent.planted_0 is 'Planted.'; ${commented('intent.planted_0')}`,
    caught: ['intent.planted_0: every table has row-level security, enabled and forced. Add'],
  },
  {
    what: 'a table without a tenant in its key',
    sql: `create table intent.planted (id uuid primary key, tenant_id uuid); ${walled('intent.planted')}`,
    caught: [
      'intent.planted: a primary key begins with tenant_id. Put',
      'intent.planted: a tenant_id is never null. Declare',
      'intent.planted_pkey: a unique index contains tenant_id, so that nobody learns of the ids of others. Add',
    ],
  },
  {
    what: 'a policy of the owner that forgets the tenant',
    sql: `create table intent.planted (tenant_id uuid primary key); ${walled('intent.planted')}
      create policy owner_in_tenant on intent.planted to intent_owner using (true)`,
    caught: [
      "intent.planted.owner_in_tenant: an owner's policy keeps its functions to the tenant that they have entered. Compare",
    ],
  },
  {
    what: 'a wall that lets new rows pass',
    sql: 'alter policy tenant_wall on intent.orders with check (true)',
    caught: [
      'intent.orders: a table that people touch has a restrictive policy that keeps them to what is theirs. Add the policy tenant_wall',
    ],
  },
  {
    what: 'a permissive policy for people without a wall',
    sql: `create table intent.planted (tenant_id uuid primary key); ${walled('intent.planted')}
      create policy members_read on intent.planted for select to authenticated using (tenant_id = (select intent.current_tenant_id()));
      grant select on intent.planted to authenticated`,
    caught: ['intent.planted: a table that people touch has a restrictive policy that keeps them to what is theirs. Add'],
  },
  {
    what: 'a further policy beside that of memberships',
    sql: 'create policy convenience on intent.memberships for select to authenticated using (true)',
    caught: ['intent.memberships.convenience: a permissive policy for people holds the wall too, so that one lost policy opens nothing. Let'],
  },
  {
    what: 'memberships without their wall',
    sql: 'drop policy user_wall on intent.memberships',
    caught: ['intent.memberships: a table that people touch has a restrictive policy that keeps them to what is theirs. Add'],
  },
  {
    what: "a wall of memberships that goes by the tenant, and would show the others' rows",
    sql: `alter policy user_wall on intent.memberships using (tenant_id = (select intent.current_tenant_id()))`,
    caught: ['intent.memberships: a table that people touch has a restrictive policy that keeps them to what is theirs. Add'],
  },
  {
    what: 'a permissive policy for people that leaves the tenant to the wall',
    sql: 'alter policy members_read on intent.events using (true)',
    caught: ['intent.events.members_read: a permissive policy for people holds the wall too, so that one lost policy opens nothing. Let'],
  },
  {
    what: 'a permissive policy whose wall is one of two ways in',
    sql: `alter policy owners_read on intent.membership_log
      using (tenant_id = (select intent.current_tenant_id()) and true or actor_user_id = (select intent.current_user_id()))`,
    caught: ['intent.membership_log.owners_read: a permissive policy for people holds the wall too, so that one lost policy opens nothing. Let'],
  },
  {
    what: 'a permissive policy that lets people write anywhere',
    sql: 'create policy members_write on intent.orders for insert to authenticated with check (true)',
    caught: ['intent.orders.members_write: a permissive policy for people holds the wall too, so that one lost policy opens nothing. Let'],
  },
  {
    what: 'a policy for everybody',
    sql: 'create policy convenience on intent.orders for select using (true)',
    caught: [
      'intent.orders.convenience: policies are for authenticated, intent_owner and intent_system, and for nobody else. Name',
    ],
  },
  {
    what: 'a policy that lets functions span the tenants of one more table',
    sql: 'create policy system_reads on intent.orders for select to intent_system using (true)',
    caught: ['intent.orders.system_reads: the policies of intent_system are on the tables that its functions need. Take'],
  },
  {
    what: 'a column without a comment',
    sql: 'alter table intent.orders add column planted text',
    caught: ['intent.orders.planted: every column of a table has a comment. comment on column'],
  },
  {
    what: 'a view that runs as its owner',
    sql: `create view api.planted as select * from intent.orders; comment on view api.planted is 'Planted.'`,
    caught: ['api.planted: every view runs as the one who asks. Create it `with (security_invoker = true)`'],
  },
  {
    what: 'a materialized view',
    sql: `create materialized view intent.planted as select 1 as one; comment on materialized view intent.planted is 'Planted.'`,
    caught: ['intent.planted: there is no materialized view and no foreign table: policies do not bind them. Make'],
  },
  {
    what: 'a publication of a table',
    sql: 'reset role; create publication planted for table intent.orders',
    caught: ['planted: intent.orders: no table of ours is published: publications bypass the policies. Take'],
  },
  {
    what: 'a foreign key without the tenant',
    sql: `create table intent.planted (tenant_id uuid, session_id uuid references intent.session_tenants, primary key (tenant_id, session_id));
      ${walled('intent.planted')}`,
    caught: ['intent.planted.planted_session_id_fkey: a foreign key contains tenant_id on both sides. Add'],
  },
  {
    what: 'a text key in the order of the database',
    sql: `create table intent.planted (tenant_id uuid, label text, primary key (tenant_id, label)); ${walled('intent.planted')}`,
    caught: ['intent.planted_pkey: an index compares text as bytes. Declare'],
  },
  {
    what: 'an index on an expression in the order of the database',
    sql: `create index planted on intent.events (tenant_id, (payload ->> 'name'))`,
    caught: ['intent.planted: an index compares text as bytes. Declare'],
  },
  {
    what: "a column that holds aggregates' ids in the order of the database",
    sql: `create table intent.planted (tenant_id uuid primary key, aggregate_id text); ${walled('intent.planted')}`,
    caught: ['intent.planted.aggregate_id: a column is compared as bytes if one of its name stands in an index. Declare'],
  },
  {
    what: 'a unique index without the tenant',
    sql: 'create unique index planted on intent.commands (command_id)',
    caught: ['intent.planted: a unique index contains tenant_id, so that nobody learns of the ids of others. Add'],
  },
];
