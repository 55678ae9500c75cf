-- State goes here; behaviour goes to fixtures/ and comes in by --!include. This file is run again at each change: make it repeatable.
-- Better to give way, and be tried again, than to have the application queue up behind a lock.
set local lock_timeout = '500ms';
set local statement_timeout = '60s';

-- What a claim weighs is a command's keys: its payload stays where it is.
set local role intent_owner;
do $$
begin
  if to_regtype('intent.candidate') is null then
    create type intent.candidate as (tenant_id uuid, aggregate_type text, aggregate_id text, command_id uuid);
    comment on type intent.candidate is 'A command that may be claimed, and its aggregate.';
    grant usage on type intent.candidate to intent_system;
  end if;
end
$$;

-- Nearly every command correlates with itself and is found by its id: only the others need the index, which each change of a
-- command's status has to write.
-- squawk-ignore require-concurrent-index-creation
create index if not exists commands_correlated on intent.commands (correlation_id) where correlation_id <> command_id;
-- squawk-ignore require-concurrent-index-deletion
drop index if exists intent.commands_correlation;

-- A rate for each user beside the tenant's: counted by row, one for each user and one, under no user's id, for the tenant.
alter table intent.tenants add column if not exists commands_per_second_per_user integer;
comment on column intent.tenants.commands_per_second_per_user is 'How many commands a second one user may submit; null: no limit.';
do $$
begin
  if not exists (select from pg_attribute where attrelid = 'intent.submission_counts'::regclass and attname = 'user_id' and not attisdropped) then
    -- It holds counts of the current second: nothing is lost.
    drop table intent.submission_counts;
    create table intent.submission_counts (
      tenant_id uuid not null,
      user_id uuid not null,
      counted_second timestamptz not null,
      submissions integer not null,
      primary key (tenant_id, user_id)
    ) with (fillfactor = 50);
    comment on table intent.submission_counts is 'Submissions in the current second, for tenants with a limit only.';
    comment on column intent.submission_counts.user_id is 'Whose submissions; the nil uuid: all of the tenant''s.';
  end if;
end
$$;

-- Who changed what about members: written by a trigger, so that no way leads around it.
create table if not exists intent.membership_log (
  tenant_id uuid not null references intent.tenants,
  entry_id uuid not null default gen_random_uuid(),
  at timestamptz not null default clock_timestamp(),
  action text not null check (action in ('invited', 'joined', 'role_changed', 'removed')),
  actor_user_id uuid,
  actor_login text not null default session_user,
  subject_user_id uuid not null,
  details jsonb not null default '{}',
  primary key (tenant_id, entry_id)
);
comment on table intent.membership_log is 'Every change of a tenant''s members and invitations, and who made it. Append-only.';
comment on column intent.membership_log.actor_user_id is 'The signed-in user; null where an operator or administrator did it.';
comment on column intent.membership_log.actor_login is 'The database login of the session.';
comment on column intent.membership_log.subject_user_id is 'Whose membership.';
create index if not exists membership_log_at on intent.membership_log (tenant_id, at);

-- Process managers: an instance is woken until it has done all that there is to do. Its row numbers its reactions, so they are in
-- commit order, and its step tells two workers apart that advance it at once.
alter table intent.processes
  alter column state drop not null,
  alter column state_version drop not null,
  alter column last_position set default 0,
  add column if not exists step bigint not null default 0,
  add column if not exists last_sequence bigint not null default 0,
  add column if not exists timers jsonb not null default '{}',
  add column if not exists calls jsonb not null default '{}',
  add column if not exists wake_at timestamptz,
  add column if not exists correlation_id uuid,
  add column if not exists traceparent text,
  add column if not exists error jsonb,
  add column if not exists failed_at timestamptz;
alter table intent.processes drop constraint if exists processes_status_check;
alter table intent.processes add constraint processes_status_check check (status in ('open', 'done', 'failed'));
comment on column intent.processes.state is 'What the process manager remembers; null before its first step.';
comment on column intent.processes.step is 'How often it has been advanced.';
comment on column intent.processes.last_sequence is 'The number of its last reaction.';
comment on column intent.processes.timers is 'By name, when each is due.';
comment on column intent.processes.calls is 'By id, the outside calls that have no answer: { name, request }.';
comment on column intent.processes.wake_at is 'When somebody must look after it, if nobody has by then; null: there is nothing to do.';
comment on column intent.processes.correlation_id is 'Of the request that began it, or had it go on last; its commands carry it.';
comment on column intent.processes.error is 'Why it has failed.';
create index if not exists processes_to_wake on intent.processes (wake_at) where wake_at is not null;

create table if not exists intent.process_events (
  process text not null,
  event_type text not null,
  key_path text not null,
  primary key (process, event_type)
);
comment on table intent.process_events is 'The events that process managers react to, generated from the registry (npm run generate).';
comment on column intent.process_events.key_path is 'The payload''s field that is the key of the instance; empty: the aggregate''s id.';

alter table intent.commands
  add column if not exists process text,
  add column if not exists process_key text;
comment on column intent.commands.process is 'The process manager that sent it, which is told the outcome; null: somebody else.';
comment on column intent.commands.process_key is 'Which instance of the process manager.';
-- For the reconciler: what was dispatched and has no outcome.
-- squawk-ignore require-concurrent-index-creation
create index if not exists commands_dispatched on intent.commands (dispatched_at) where status = 'dispatched';

alter table intent.tenants add column if not exists fairness_weight real not null default 1 check (fairness_weight between 0.001 and 1000);
comment on column intent.tenants.fairness_weight is 'The tenant''s share of a shared task queue that is full, beside that of the others.';

-- Commands that recur. Temporal keeps their time; here is what is to be sent, when, and as whom.
create table if not exists intent.schedules (
  tenant_id uuid not null references intent.tenants,
  schedule_id text not null check (schedule_id ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
  cron text not null check (cron ~ '^[0-9*,/A-Za-z-]+( [0-9*,/A-Za-z-]+){4}$' and length(cron) <= 100),
  time_zone text not null,
  user_id uuid not null,
  type text not null,
  aggregate_type text not null,
  aggregate_id text not null,
  payload jsonb not null,
  paused_because text,
  created_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, schedule_id)
);
comment on table intent.schedules is 'Commands that recur, each sent as the member who scheduled it.';
comment on column intent.schedules.cron is 'Minute, hour, day of month, month, day of week.';
comment on column intent.schedules.time_zone is 'An IANA name: when the cron expression is true.';
comment on column intent.schedules.user_id is 'Who scheduled it; it is sent with the role that this member has then.';
comment on column intent.schedules.aggregate_id is 'May hold {month} (2026-12), {date} (2026-12-01) or {uuid}: of each occasion. So may the payload''s texts.';
comment on column intent.schedules.paused_because is 'Why it does not run; null: it runs.';

-- Consumers outside of SQL read each tenant's feed from their checkpoint, under a lease.
alter table intent.checkpoints
  add column if not exists claimed_until timestamptz,
  add column if not exists fencing_token bigint not null default 0;
comment on column intent.checkpoints.claimed_until is 'Until when one consumer has it to itself; null: nobody has.';
create table if not exists intent.skipped_events (
  tenant_id uuid not null,
  subscription text not null,
  position bigint not null,
  error jsonb not null,
  skipped_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, subscription, position)
);
comment on table intent.skipped_events is 'Events that a subscriber could not deal with, and went past: its dead letters.';

set local role intent_system;
drop function if exists intent.lock_candidates(intent.commands[]);
-- The others' answers have another type now.
drop function if exists intent.expired_claims(timestamptz, integer);
drop function if exists intent.candidates_of(uuid[], timestamptz, integer);
drop function if exists intent.claim_commands(text, integer, interval);
drop function if exists intent.claim_processes(text, integer, interval);
drop function if exists intent.claimable_commands(uuid, timestamptz, integer);
set local role intent_owner;
drop function if exists intent.count_submission(uuid);
-- The state comes first now, as an aggregate's function takes it.
drop function if exists intent.budget_share_after(intent.events, intent.budget_shares);
-- What they did is inlined into the append now.
drop function if exists intent.check_target(uuid, text, text);
drop function if exists intent.broadcast_append(uuid, text, text, bigint, bigint, jsonb);
reset role;

--!include behaviour.sql

set local role intent_owner;
-- Its one caller does its work.
drop function if exists intent.request_claims();
-- Members read by definers that look their membership up once.
revoke execute on function intent.read_stream(uuid, text, text, integer), intent.head_position(uuid) from authenticated;
reset role;
