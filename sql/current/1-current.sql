-- State goes here; behaviour goes to fixtures/ and comes in by --!include. This file is run again at each change: make it repeatable.
-- Better to give way, and be tried again, than to have the application queue up behind a lock.
set local lock_timeout = '500ms';
set local statement_timeout = '60s';



-- State: log.

-- They have taken on arguments, for pages.
drop function if exists intent.read_stream(uuid, text, text, integer);
drop function if exists intent.read_member_stream(text, text, integer);
drop function if exists intent.load_command(uuid, uuid, jsonb);
drop function if exists intent.append_or_catch_up(uuid, text, text, bigint, jsonb, uuid);
drop function if exists api.hydrate(text, text, integer);
drop function if exists api.stream_as_of(text, text, bigint, timestamptz);





-- State: queue.
-- One row made each claim wait for the one before to commit. A claim notes its turn in a row that no other has at hand; there are as many
-- as claims have ever been open at once, and the latest tells whose turn it was.
-- One row, which nobody else reads.
-- squawk-ignore ban-drop-column
alter table intent.claim_turns drop column if exists only_row;
-- squawk-ignore adding-field-with-default, adding-serial-primary-key-field
alter table intent.claim_turns add column if not exists turn bigint generated always as identity primary key;
-- squawk-ignore adding-field-with-default
alter table intent.claim_turns add column if not exists served_at timestamptz not null default clock_timestamp();
comment on table intent.claim_turns is 'The tenant that was served last, by the latest row: the next claim begins behind it, so that nobody starves.';
comment on column intent.claim_turns.turn is 'Names the row. A claim writes over the oldest that no other claim has locked.';
comment on sequence intent.claim_turns_turn_seq is 'Names the rows of claim_turns.';
comment on column intent.claim_turns.served_at is 'When the claim was made.';

-- A role's own settings stand above the database's: `alter database … set default_transaction_isolation = 'repeatable read'`, which an
-- application may need for itself, had every command refused. Named only if they differ, so that nobody waits for the catalogue in vain.
do $$
declare
  needed record;
begin
  for needed in
    select role.name as role, setting.name, setting.value
    from unnest(array['intent_pump', 'intent_worker', 'intent_operator']) as role (name)
    cross join (
      values ('default_transaction_isolation', 'read committed'), ('row_security', 'on'), ('idle_session_timeout', '0'), ('search_path', 'pg_catalog')
    ) as setting (name, value)
    where not exists (
      select from pg_db_role_setting as s
      where s.setrole = to_regrole(role.name) and s.setdatabase = 0 and format('%s=%s', setting.name, setting.value) = any (s.setconfig)
    )
  loop
    execute format('alter role %I set %I = %L', needed.role, needed.name, needed.value);
  end loop;
end
$$;





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
comment on column intent.processes.calls is 'By id, the outside calls that have no answer: { name, request, causationId }.';
comment on column intent.processes.correlation_id is
  'Of the request that began it, or had it go on last; a command that has none behind it carries it.';
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
-- A row a session: small.
-- squawk-ignore require-concurrent-index-creation
create index if not exists session_tenants_used on intent.session_tenants (used_at);
-- Every column says what it holds: `\d+` documents the database.
comment on column intent.budget_shares.tenant_id is 'Whose it is.';
comment on column intent.budget_shares.budget_id is 'The budget that the share is of.';
comment on column intent.budget_shares.order_id is 'The order that it is for.';
comment on column intent.budget_shares.reserved is 'What is reserved for the order and not yet spent, in cents.';
comment on column intent.budget_shares.spent is 'What is spent for the order, in cents.';
comment on column intent.budgets.tenant_id is 'Whose it is.';
comment on column intent.budgets.budget_id is 'The aggregate''s id.';
comment on column intent.budgets.name is 'As its owner named it.';
comment on column intent.budgets.spending_limit is 'What may be reserved and spent together, in cents.';
comment on column intent.budgets.reserved is 'What is reserved for orders and not yet spent, in cents.';
comment on column intent.budgets.spent is 'What is spent, in cents.';
comment on column intent.budgets.version is 'That of the stream, up to which the row is true.';
comment on column intent.budgets.position is 'The tenant''s, of the last event that the row shows.';
comment on column intent.checkpoints.tenant_id is 'Whose events are read.';
comment on column intent.checkpoints.subscription is 'Who reads them.';
comment on column intent.checkpoints.position is 'Up to where they are read.';
comment on column intent.checkpoints.fencing_token is 'Raised by each claim; an acknowledgement with an older one is refused.';
comment on column intent.claim_turns.tenant_id is 'Whose turn it was.';
comment on column intent.commands.tenant_id is 'Whose it is.';
comment on column intent.commands.command_id is 'Chosen by the sender; sent again, it is the same command.';
comment on column intent.commands.aggregate_type is 'The type of aggregate that it is for, which its own type decides.';
comment on column intent.commands.aggregate_id is 'The aggregate that it is for.';
comment on column intent.commands.type is 'What is asked for, in the imperative.';
comment on column intent.commands.schema_version is 'That of the payload, as it was sent.';
comment on column intent.commands.payload is 'What it says, by the schema of its type.';
comment on column intent.commands.correlation_id is 'Of all that comes of one request; its own id if it begins one.';
comment on column intent.commands.causation_id is 'The command behind it; null: it begins.';
comment on column intent.commands.status is 'pending, dispatched, succeeded, rejected or failed.';
comment on column intent.commands.attempts is 'How often it was claimed.';
comment on column intent.commands.traceparent is 'The trace that it belongs to (W3C); null: none.';
comment on column intent.commands.submitted_at is 'When it was stored.';
comment on column intent.commands.dispatched_at is 'When the engine had it; null: it has not been told.';
comment on column intent.commands.completed_at is 'When it was settled; null: it is open.';
comment on column intent.events.tenant_id is 'Whose it is.';
comment on column intent.events.aggregate_type is 'The type of its stream''s aggregate.';
comment on column intent.events.aggregate_id is 'The aggregate that it is of.';
comment on column intent.events.type is 'What happened, in the past tense.';
comment on column intent.events.schema_version is 'That of the payload, as it was recorded; readers upcast older ones.';
comment on column intent.events.payload is 'What is to be known of it.';
comment on column intent.events.recorded_at is 'When it was appended; never steps back within a tenant.';
comment on column intent.membership_log.tenant_id is 'Whose it is.';
comment on column intent.membership_log.entry_id is 'Of the entry.';
comment on column intent.membership_log.at is 'When it was done.';
comment on column intent.membership_log.action is 'invited, joined, role_changed or removed.';
comment on column intent.membership_log.details is 'The role, and what was before.';
comment on column intent.memberships.tenant_id is 'What the user belongs to.';
comment on column intent.memberships.user_id is 'The user''s id in Auth.';
comment on column intent.memberships.role is 'owner, member or guest.';
comment on column intent.memberships.status is 'invited, active or removed: only an active one counts.';
comment on column intent.memberships.invited_by is 'The owner who invited; null: an operator made the membership.';
comment on column intent.memberships.created_at is 'When it was first there.';
comment on column intent.message_types.type is 'Of commands, as a client sends it.';
comment on column intent.message_types.aggregate_type is 'The type of aggregate that such a command is for.';
comment on column intent.message_types.aggregate_id_pattern is 'What the aggregate''s id must match.';
comment on column intent.message_types.execution is 'temporal: by a workflow; inline: at once, by the worker.';
comment on column intent.operator_log.entry_id is 'Of the entry.';
comment on column intent.operator_log.asked_at is 'When it was done.';
comment on column intent.operator_log.asked_by is 'The login that did it.';
comment on column intent.operator_log.action is 'The function that was called.';
comment on column intent.operator_log.tenant_id is 'The tenant that it was about; null: all, or none.';
comment on column intent.operator_log.details is 'With what.';
comment on column intent.orders.tenant_id is 'Whose it is.';
comment on column intent.orders.order_id is 'The aggregate''s id.';
comment on column intent.orders.budget_id is 'The budget that pays for it.';
comment on column intent.orders.status is 'awaiting_approval, placed, confirmed, rejected, cancelled or delivered.';
comment on column intent.orders.placed_by is 'The user who placed it.';
comment on column intent.orders.version is 'That of the stream, up to which the row is true.';
comment on column intent.orders.position is 'The tenant''s, of the last event that the row shows.';
comment on column intent.process_events.process is 'The process manager.';
comment on column intent.process_events.event_type is 'The type of event that it is told of.';
comment on column intent.processes.tenant_id is 'Whose it is.';
comment on column intent.processes.process is 'The process manager.';
comment on column intent.processes.key is 'Which instance of it.';
comment on column intent.processes.state_version is 'That of the state; null before its first step.';
comment on column intent.processes.status is 'How the instance stands: open, done, or failed until an operator retries it.';
comment on column intent.processes.next_timer is 'When its next timer is due; null: none is set.';
comment on column intent.processes.traceparent is 'The trace that it belongs to (W3C); null: none.';
comment on column intent.processes.failed_at is 'When it failed; null: it has not.';
comment on column intent.reactions.tenant_id is 'Whose it is.';
comment on column intent.reactions.process is 'The process manager that it is for.';
comment on column intent.reactions.key is 'Which instance of it.';
comment on column intent.reactions.sequence is 'Its place among those of the instance.';
comment on column intent.reactions.message is 'What is to be reacted to: an event, an outcome, an answer, a cancellation.';
comment on column intent.reactions.queued_at is 'When it was queued.';
comment on column intent.schedules.tenant_id is 'Whose it is.';
comment on column intent.schedules.schedule_id is 'Its name, chosen by who made it.';
comment on column intent.schedules.type is 'Of the command that is sent.';
comment on column intent.schedules.aggregate_type is 'The type of aggregate that the command is for.';
comment on column intent.schedules.payload is 'What the command says.';
comment on column intent.schedules.created_at is 'When it was made.';
comment on column intent.schedules.changed_at is 'When it was last changed.';
comment on column intent.session_tenants.session_id is 'A session of Auth.';
comment on column intent.session_tenants.user_id is 'Whose session it is.';
comment on column intent.session_tenants.tenant_id is 'The tenant that it has switched to.';
comment on column intent.session_tenants.chosen_at is 'When it did.';
comment on column intent.skipped_events.tenant_id is 'Whose it is.';
comment on column intent.skipped_events.subscription is 'Who could not deal with it.';
comment on column intent.skipped_events.position is 'The event''s.';
comment on column intent.skipped_events.error is 'Why it could not.';
comment on column intent.skipped_events.skipped_at is 'When it was passed over.';
comment on column intent.snapshots.tenant_id is 'Whose it is.';
comment on column intent.snapshots.aggregate_type is 'The type of its stream''s aggregate.';
comment on column intent.snapshots.aggregate_id is 'The aggregate that it is of.';
comment on column intent.snapshots.version is 'That of the stream when it was taken.';
comment on column intent.snapshots.state is 'What the events up to that version fold to.';
comment on column intent.snapshots.taken_at is 'When it was taken.';
comment on column intent.submission_counts.tenant_id is 'Whose submissions.';
comment on column intent.submission_counts.counted_second is 'The second that is counted.';
comment on column intent.submission_counts.submissions is 'How many there were in it.';
comment on column intent.tenants.tenant_id is 'Random; names it everywhere.';
comment on column intent.tenants.name is 'For people to read.';
comment on column intent.tenants.status is 'active or suspended.';
comment on column intent.tenants.created_at is 'When it was made.';
reset role;





-- State: hints.
set local role intent_owner;
alter table intent.tenants add column if not exists hints_per_second integer default 5;
comment on column intent.tenants.hints_per_second is
  'How many hints of appends a second its members are sent, on the average of ten seconds; what is more is merged. Null: one for each append.';

create table if not exists intent.withheld_hints (
  tenant_id uuid primary key references intent.tenants,
  announced_position bigint not null,
  announced_at timestamptz not null default '-infinity'
);
comment on table intent.withheld_hints is 'The tenants above their rate of hints: the pump tells their members in one message a second.';
comment on column intent.withheld_hints.tenant_id is 'Whose hints are withheld.';
comment on column intent.withheld_hints.announced_position is 'Members have been told of the log up to here.';
comment on column intent.withheld_hints.announced_at is 'When they were told last.';

-- How many commands of a tenant were rejected lately, for broadcast_outcome.
-- squawk-ignore require-concurrent-index-creation
create index if not exists commands_rejected on intent.commands (tenant_id, completed_at) where status = 'rejected';
reset role;





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
