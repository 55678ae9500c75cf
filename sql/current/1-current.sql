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

set local role intent_system;
drop function if exists intent.lock_candidates(intent.commands[]);
-- The others' answers have another type now.
drop function if exists intent.expired_claims(timestamptz, integer);
drop function if exists intent.candidates_of(uuid[], timestamptz, integer);
drop function if exists intent.claimable_commands(uuid, timestamptz, integer);
set local role intent_owner;
drop function if exists intent.count_submission(uuid);
-- What they did is inlined into the append now.
drop function if exists intent.check_target(uuid, text, text);
drop function if exists intent.broadcast_append(uuid, text, text, bigint, bigint, jsonb);
reset role;

--!include behaviour.sql
