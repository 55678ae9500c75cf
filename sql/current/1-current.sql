-- State goes here; behaviour goes to fixtures/ and comes in by --!include. This file is run again at each change: make it repeatable.
-- Better to give way, and be tried again, than to have the application queue up behind a lock.
set local lock_timeout = '500ms';
set local statement_timeout = '60s';



-- State: log.





-- State: queue.
-- One row made each claim wait for the one before to commit. A claim notes its turn in a row that no other has at hand; there are as many
-- as claims have ever been open at once, and the latest tells whose turn it was.
alter table intent.claim_turns drop column if exists only_row;
alter table intent.claim_turns add column if not exists turn bigint generated always as identity primary key;
alter table intent.claim_turns add column if not exists served_at timestamptz not null default clock_timestamp();
comment on table intent.claim_turns is 'The tenant that was served last, by the latest row: the next claim begins behind it, so that nobody starves.';
comment on column intent.claim_turns.turn is 'Names the row. A claim writes over the oldest that no other claim has locked.';
comment on sequence intent.claim_turns_turn_seq is 'Names the rows of claim_turns.';
comment on column intent.claim_turns.served_at is 'When the claim was made.';





-- State: system commands.
set local role intent_owner;
alter table intent.commands add column if not exists cause text;
comment on column intent.commands.cause is
  'What the system sent it for, as command_trace names it: an event''s position, a command, an answer, a timer, or a schedule''s occasion; null: a person or operator sent it.';

-- Ids of the system that must be the same when something is repeated are derived with it, so that no member can know them beforehand.
create table if not exists intent.tenant_secrets (
  tenant_id uuid primary key references intent.tenants,
  secret uuid not null default gen_random_uuid()
);
comment on table intent.tenant_secrets is 'What ids of a tenant''s system commands are derived with. No client and no login role reads it.';
comment on column intent.tenant_secrets.tenant_id is 'Whose secret it is.';
comment on column intent.tenant_secrets.secret is 'Random. Where an administrator deletes the row, later ids are new.';

-- What happens within a process manager between an event and a command: command_trace shows it.
create table if not exists intent.process_trace (
  tenant_id uuid not null,
  entry_id uuid not null default gen_random_uuid(),
  process text collate "C" not null,
  key text collate "C" not null,
  at timestamptz not null default clock_timestamp(),
  what text not null check (what in ('call', 'answer', 'timer', 'cancellation')),
  id text not null,
  name text,
  status text not null,
  correlation_id uuid,
  causation_id uuid,
  cause text,
  primary key (tenant_id, entry_id)
);
comment on table intent.process_trace is 'The calls, answers, timers and cancellations of process managers, as they happened.';
comment on column intent.process_trace.tenant_id is 'Whose process it is.';
comment on column intent.process_trace.entry_id is 'Of the entry.';
comment on column intent.process_trace.process is 'The process manager.';
comment on column intent.process_trace.key is 'Which instance of it.';
comment on column intent.process_trace.at is 'When it happened.';
comment on column intent.process_trace.what is 'The kind of the entry.';
comment on column intent.process_trace.id is 'What the cause of others names, such as "call <id>" or "timer <name> fired"; unique within the instance, but for timers that are set again.';
comment on column intent.process_trace.name is 'The name of the call or timer.';
comment on column intent.process_trace.status is 'What became of it: made, given up; ok or an error''s code; set, cleared, fired; asked for.';
comment on column intent.process_trace.correlation_id is 'Of the command behind it.';
comment on column intent.process_trace.causation_id is 'The command behind it; null where there is none.';
comment on column intent.process_trace.cause is 'What came directly before it: the id of an entry, "position <n>", or a command''s id.';
create index if not exists process_trace_of_request on intent.process_trace (correlation_id);
create index if not exists process_trace_by_age on intent.process_trace (at);

alter table intent.processes add column if not exists timer_causes jsonb not null default '{}';
comment on column intent.processes.timer_causes is 'By name, the command behind each timer.';

-- They have grown: insert_command by the cause, cancel_process by the reason, command_trace by columns.
drop function if exists intent.insert_command(
  uuid, uuid, text, text, text, jsonb, integer, text, uuid, bigint, uuid, uuid, timestamptz, text, text, text);
drop function if exists intent.cancel_process(uuid, text, text);
set local role intent_system;
do $$
begin
  if (select pronargs = 1 and array_length(proallargtypes, 1) = 10 from pg_proc where oid = to_regprocedure('intent.command_trace(uuid)')) then
    drop function intent.command_trace(uuid);
  end if;
end
$$;
reset role;





-- State: schedules.
alter table intent.tenants
  add column if not exists schedules_per_member integer default 20,
  add column if not exists schedule_minutes_apart integer default 5;
comment on column intent.tenants.schedules_per_member is 'How many schedules a member may have; null: any number.';
comment on column intent.tenants.schedule_minutes_apart is 'How many minutes the occasions of a schedule must be apart; null: any.';





-- State: members.
set local role intent_owner;
alter table intent.tenants
  add column if not exists requires_aal2 boolean not null default false,
  add column if not exists allows_oauth_clients boolean not null default false;
comment on column intent.tenants.requires_aal2 is 'Whether only sessions with a second factor (claim aal: aal2) may act in the tenant.';
comment on column intent.tenants.allows_oauth_clients is 'Whether tokens of third-party OAuth clients (claim client_id) may act in the tenant.';
-- now() first, which is one value for all rows: clock_timestamp() would write each of them anew.
alter table intent.session_tenants add column if not exists used_at timestamptz not null default now();
alter table intent.session_tenants alter column used_at set default clock_timestamp();
comment on column intent.session_tenants.used_at is 'When a token was last made of it, to a day: what is not used is pruned.';
create index if not exists session_tenants_used on intent.session_tenants (used_at);
reset role;





-- State: hints.





-- State: collation.
-- Keys are compared as bytes: the order of the database's collation changes with its C library, and indexes that were built in the
-- old one are corrupt then, without a word. No row is rewritten; the indexes of these columns are built anew, each table at once
-- and under its lock. Views and triggers on them go first, and come back below with the behaviour.
create or replace function pg_temp.compare_as_bytes(of_table regclass, variadic columns text[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  default_collation constant oid := '"default"'::regcollation;
  numbers smallint[];
  changes text;
  dependent record;
begin
  select array_agg(a.attnum), string_agg(format('alter column %I type text collate "C"', a.attname), ', ') into numbers, changes
  from pg_attribute as a
  where a.attrelid = of_table and a.attname = any (columns) and a.attcollation = default_collation;
  if numbers is null then
    return;
  end if;
  for dependent in
    select distinct coalesce(
      (select format('drop view %s', v.oid::regclass) from pg_rewrite as r join pg_class as v on v.oid = r.ev_class
        where d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and v.relnamespace::regnamespace::text in ('intent', 'api')),
      (select format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass) from pg_trigger as t
        where d.classid = 'pg_trigger'::regclass and t.oid = d.objid and not t.tgisinternal)) as removal
    from pg_depend as d
    where d.refclassid = 'pg_class'::regclass and d.refobjid = of_table and d.refobjsubid = any (numbers)
  loop
    if dependent.removal is not null then
      execute dependent.removal;
    end if;
  end loop;
  execute format('alter table %s %s', of_table, changes);
end
$$;

set local role intent_owner;
select pg_temp.compare_as_bytes('intent.message_types', 'type', 'aggregate_type');
select pg_temp.compare_as_bytes('intent.process_events', 'process', 'event_type');
select pg_temp.compare_as_bytes('intent.schedules', 'schedule_id', 'type', 'aggregate_type', 'aggregate_id');
select pg_temp.compare_as_bytes('intent.checkpoints', 'subscription');
select pg_temp.compare_as_bytes('intent.skipped_events', 'subscription');
select pg_temp.compare_as_bytes('intent.reactions', 'process', 'key');
select pg_temp.compare_as_bytes('intent.processes', 'process', 'key');
select pg_temp.compare_as_bytes('intent.snapshots', 'aggregate_type', 'aggregate_id');
select pg_temp.compare_as_bytes('intent.orders', 'order_id', 'budget_id');
select pg_temp.compare_as_bytes('intent.budgets', 'budget_id');
select pg_temp.compare_as_bytes('intent.budget_shares', 'budget_id', 'order_id');
select pg_temp.compare_as_bytes('intent.commands', 'aggregate_type', 'aggregate_id', 'type', 'process', 'process_key');
-- The log can be large: an index that was built beforehand, without a lock, is taken over (docs/operations.md).
do $$
begin
  if exists (select from pg_index where indexrelid = to_regclass('intent.events_as_bytes') and indisunique and indisvalid) then
    alter table intent.events drop constraint events_tenant_id_aggregate_type_aggregate_id_version_key;
  end if;
end
$$;
select pg_temp.compare_as_bytes('intent.events', 'aggregate_type', 'aggregate_id', 'type');
do $$
begin
  if to_regclass('intent.events_as_bytes') is not null
    and to_regclass('intent.events_tenant_id_aggregate_type_aggregate_id_version_key') is null then
    alter table intent.events add constraint events_tenant_id_aggregate_type_aggregate_id_version_key
      unique using index events_as_bytes;
  end if;
end
$$;
do $$
begin
  if exists (select from pg_attribute where attrelid = 'intent.candidate'::regclass and attname = 'aggregate_id'
    and attcollation = '"default"'::regcollation) then
    alter type intent.candidate
      alter attribute aggregate_type type text collate "C", alter attribute aggregate_id type text collate "C";
  end if;
end
$$;
reset role;





-- State: other.




-- Behaviour.
--!include behaviour.sql
