--! Previous: -
--! Hash: sha1:6c04fc4dd5356a72596958afc89d110ee498ba06
--! Message: framework

--! split: 1-current.sql
-- Everything of the framework, as an empty database gets it.
--! Included state.sql
-- What holds the framework's data, in the form that it has today: an empty database gets it at once. A migration that changes a table changes its file here,
-- too, and a test compares the two ways.
--! Included roles.sql
-- Login roles get their passwords outside the migrations, and no privilege on any table: functions only.
-- Roles belong to the cluster, so each is made only if it is missing.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['intent_owner', 'intent_system'] loop
    if to_regrole(role_name) is null then
      execute format('create role %I nologin', role_name);
    end if;
    -- The migrating role need not be a superuser: it acts as these two by membership.
    execute format('grant %I to current_user', role_name);
  end loop;
  foreach role_name in array array['intent_pump', 'intent_worker', 'intent_operator'] loop
    if to_regrole(role_name) is null then
      execute format('create role %I login noinherit', role_name);
    end if;
  end loop;
end
$$;
comment on role intent_owner is 'Owns the schemas intent and api. No login, no BYPASSRLS: forced policies bind it too.';
comment on role intent_system is 'Owns the few definer functions that span tenants. No login, no BYPASSRLS.';
comment on role intent_pump is 'The command pump: executes claim and dispatch functions, no table privileges.';
comment on role intent_worker is 'The worker: executes load, append, settle and snapshot functions, one tenant at a time.';
comment on role intent_operator is 'A person on call: reads across tenants and retries by functions that leave a record.';

-- A role's own settings stand above the database's, which an application may need for itself. They are named only if they differ, so that
-- nobody waits for the catalogue in vain.
do $$
declare
  needed record;
begin
  for needed in
    select role.name as role, setting.name, setting.value
    from unnest(array['intent_pump', 'intent_worker', 'intent_operator']) as role (name)
    join (
      values
        (null, 'default_transaction_isolation', 'read committed'), (null, 'row_security', 'on'), (null, 'idle_session_timeout', '0'),
        (null, 'search_path', 'pg_catalog'),
        -- An append holds its tenant's lock until it commits: a client that hangs must not hold it for long.
        ('{intent_pump,intent_worker}', 'idle_in_transaction_session_timeout', '10s'), ('{intent_pump,intent_worker}', 'lock_timeout', '5s'),
        -- Who works for the system asks by keys only, so no plan of its sessions reads a whole table, however empty that was when the plan
        -- was made (docs/adr/0014).
        ('{intent_pump,intent_worker}', 'enable_seqscan', 'off'),
        -- All that a pump writes are leases and marks. What a crash takes back is as good as a lease that has ended (docs/adr/0015).
        ('{intent_pump}', 'synchronous_commit', 'off')
    ) as setting (roles, name, value) on coalesce(role.name = any (setting.roles::text[]), true)
    where not exists (
      select from pg_db_role_setting as s
      where s.setrole = to_regrole(role.name) and s.setdatabase = 0 and format('%s=%s', setting.name, setting.value) = any (s.setconfig)
    )
  loop
    execute format('alter role %I set %I = %L', needed.role, needed.name, needed.value);
  end loop;
end
$$;

-- What a client has submitted holds its id, and the rows of its rates, until the commit: if its connection goes deaf before that, anyone
-- who asks again must not wait for ever. The role is the platform's, so it may not be ours to change: intent.doctor says so then.
do $$
begin
  if not exists (
    select from pg_db_role_setting as s
    where s.setrole = to_regrole('authenticator') and s.setdatabase = 0
      and array_to_string(s.setconfig, ',') like '%idle_in_transaction_session_timeout=%'
  ) then
    alter role authenticator set idle_in_transaction_session_timeout = '5s';
    alter role authenticator set lock_timeout = '5s';
  end if;
exception when insufficient_privilege or undefined_object then
  raise notice 'authenticator keeps its time-outs: %', sqlerrm;
end
$$;
--! EndIncluded roles.sql
--! Included schemas.sql
create schema if not exists intent authorization intent_owner;
create schema if not exists api authorization intent_owner;
comment on schema intent is 'Tables, and the functions for pump, worker and operator. Not exposed to clients.';
comment on schema api is 'What clients may call, as themselves: the schema that PostgREST exposes.';

set local role intent_owner;
-- New functions are executable by nobody until a grant says otherwise.
alter default privileges for role intent_owner revoke execute on functions from public;
grant usage on schema intent to authenticated, intent_pump, intent_worker, intent_operator, supabase_auth_admin;
grant usage, create on schema intent to intent_system;
grant usage on schema api to authenticated;
grant usage, create on schema api to intent_system;
set local role intent_system;
alter default privileges for role intent_system revoke execute on functions from public;
reset role;
--! EndIncluded schemas.sql

set local role intent_owner;
--! Included types/append_result.sql
-- What append_events and its kin return, before each gives it its own shape.
do $$
begin
  if to_regtype('intent.append_result') is null then
    create type intent.append_result as (
      first_version bigint, last_version bigint, first_position bigint, last_position bigint, duplicate boolean, conflicting_version bigint
    );
  end if;
end
$$;
comment on type intent.append_result is 'Where an append has put its events; or the version that conflicts with the expected one.';
--! EndIncluded types/append_result.sql
--! Included types/candidate.sql
-- What a claim weighs is a command's keys: its payload stays where it is.
do $$
begin
  if to_regtype('intent.candidate') is null then
    create type intent.candidate as (tenant_id uuid, aggregate_type text collate "C", aggregate_id text collate "C", command_id uuid);
  end if;
end
$$;
comment on type intent.candidate is 'A command that may be claimed, and its aggregate.';
grant usage on type intent.candidate to intent_system;
--! EndIncluded types/candidate.sql
--! Included tables/tenants.sql
-- Every key begins with the tenant; nothing is global but what the registry generates.
create table if not exists intent.tenants (
  tenant_id uuid primary key,
  name text not null check (length(name) between 1 and 200),
  isolation text not null default 'shared' check (isolation in ('shared', 'dedicated')),
  status text not null default 'active' check (status in ('active', 'suspended')),
  commands_per_second integer check (commands_per_second > 0),
  created_at timestamptz not null default clock_timestamp(),
  commands_per_second_per_user integer,
  fairness_weight real not null default 1 check (fairness_weight between 0.001 and 1000),
  schedules_per_member integer default 20,
  schedule_minutes_apart integer default 5,
  requires_aal2 boolean not null default false,
  allows_oauth_clients boolean not null default false,
  hints_per_second integer default 5
);
comment on table intent.tenants is 'The units of isolation.';
comment on column intent.tenants.tenant_id is 'Random; names it everywhere.';
comment on column intent.tenants.name is 'For people to read.';
comment on column intent.tenants.isolation is 'dedicated: the tenant has task queues and a Worker of its own.';
comment on column intent.tenants.status is 'active or suspended.';
comment on column intent.tenants.commands_per_second is 'Submissions allowed in a second (IN429 above); null: no limit.';
comment on column intent.tenants.created_at is 'When it was made.';
comment on column intent.tenants.commands_per_second_per_user is 'How many commands a second one user may submit; null: no limit.';
comment on column intent.tenants.fairness_weight is 'The tenant''s share of a shared task queue that is full, beside that of the others.';
comment on column intent.tenants.schedules_per_member is 'How many schedules a member may have; null: any number.';
comment on column intent.tenants.schedule_minutes_apart is 'How many minutes the occasions of a schedule must be apart; null: any.';
comment on column intent.tenants.requires_aal2 is 'Whether only sessions with a second factor (claim aal: aal2) may act in the tenant.';
comment on column intent.tenants.allows_oauth_clients is 'Whether tokens of third-party OAuth clients (claim client_id) may act in the tenant.';
comment on column intent.tenants.hints_per_second is 'How many hints of appends a second its members are sent, on the average of ten seconds; what is more is merged. Null: one for each append.';
--! EndIncluded tables/tenants.sql
--! Included tables/memberships.sql
create table if not exists intent.memberships (
  tenant_id uuid not null references intent.tenants,
  user_id uuid not null,
  role text not null check (role in ('owner', 'member', 'guest')),
  status text not null default 'active' check (status in ('invited', 'active', 'removed')),
  invited_by uuid,
  expires_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, user_id)
);
comment on table intent.memberships is 'Who belongs to a tenant, in which role. This row counts, not the claim in a token.';
comment on column intent.memberships.tenant_id is 'What the user belongs to.';
comment on column intent.memberships.user_id is 'The user''s id in Auth.';
comment on column intent.memberships.role is 'owner, member or guest.';
comment on column intent.memberships.status is 'invited, active or removed: only an active one counts.';
comment on column intent.memberships.invited_by is 'The owner who invited; null: an operator made the membership.';
comment on column intent.memberships.expires_at is 'When an invitation lapses; null: never.';
comment on column intent.memberships.created_at is 'When it was first there.';
create index if not exists memberships_user on intent.memberships (user_id);
--! EndIncluded tables/memberships.sql
--! Included tables/session_tenants.sql
create table if not exists intent.session_tenants (
  session_id uuid primary key,
  user_id uuid not null,
  tenant_id uuid not null,
  chosen_at timestamptz not null default clock_timestamp(),
  used_at timestamptz not null default clock_timestamp(),
  foreign key (tenant_id, user_id) references intent.memberships (tenant_id, user_id)
);
comment on table intent.session_tenants is 'The tenant that a session of a user has switched to: the claim of its next token.';
comment on column intent.session_tenants.session_id is 'A session of Auth.';
comment on column intent.session_tenants.user_id is 'Whose session it is.';
comment on column intent.session_tenants.tenant_id is 'The tenant that it has switched to.';
comment on column intent.session_tenants.chosen_at is 'When it did.';
comment on column intent.session_tenants.used_at is 'When a token was last made of it, to a day: what is not used is pruned.';
create index if not exists session_tenants_membership on intent.session_tenants (tenant_id, user_id);
create index if not exists session_tenants_used on intent.session_tenants (used_at);
--! EndIncluded tables/session_tenants.sql
--! Included tables/membership_log.sql
-- Written by a trigger, so that no way leads around it.
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
comment on column intent.membership_log.tenant_id is 'Whose it is.';
comment on column intent.membership_log.entry_id is 'Of the entry.';
comment on column intent.membership_log.at is 'When it was done.';
comment on column intent.membership_log.action is 'invited, joined, role_changed or removed.';
comment on column intent.membership_log.actor_user_id is 'The signed-in user; null if an operator or administrator did it.';
comment on column intent.membership_log.actor_login is 'The database login of the session.';
comment on column intent.membership_log.subject_user_id is 'Whose membership.';
comment on column intent.membership_log.details is 'The role, and what was before.';
create index if not exists membership_log_at on intent.membership_log (tenant_id, at);
--! EndIncluded tables/membership_log.sql
--! Included tables/message_types.sql
create table if not exists intent.message_types (
  type text collate "C" primary key check (type ~ '^[A-Z][A-Za-z0-9]*$' and length(type) <= 100),
  aggregate_type text collate "C" not null,
  aggregate_id_pattern text not null,
  sent_by text[] not null,
  schema_version integer not null check (schema_version > 0),
  execution text not null check (execution in ('temporal', 'inline'))
);
comment on table intent.message_types is 'The commands that the domain knows, generated from its registry (npm run generate).';
comment on column intent.message_types.type is 'Of commands, as a client sends it.';
comment on column intent.message_types.aggregate_type is 'The type of aggregate that such a command is for.';
comment on column intent.message_types.aggregate_id_pattern is 'What the aggregate''s id must match.';
comment on column intent.message_types.sent_by is 'Roles that may send it; system: never a person.';
comment on column intent.message_types.schema_version is 'The newest version of the payload''s schema; older ones are upcast.';
comment on column intent.message_types.execution is 'temporal: by a workflow; inline: at once, by the worker.';
--! EndIncluded tables/message_types.sql
--! Included tables/commands.sql
-- Keys that are text are compared as bytes, here and in every table: an order of the language changes with the C library's version, and indexes
-- that were built in the old one are corrupt then, without a word.
create table if not exists intent.commands (
  tenant_id uuid not null,
  command_id uuid not null,
  aggregate_type text collate "C" not null,
  aggregate_id text collate "C" not null,
  type text collate "C" not null,
  schema_version integer not null,
  payload jsonb not null,
  actor_user_id uuid,
  actor_role text not null check (actor_role = any ('{owner,member,guest,system}')),
  correlation_id uuid not null,
  causation_id uuid,
  expected_version bigint,
  execute_at timestamptz,
  request_hash bytea not null,
  status text not null default 'pending',
  attempts integer not null default 0,
  claimed_by text,
  claimed_until timestamptz,
  fencing_token bigint not null default 0,
  outcome jsonb,
  error jsonb,
  traceparent text,
  submitted_at timestamptz not null default clock_timestamp(),
  due_at timestamptz not null generated always as (greatest(submitted_at, execute_at)) stored,
  dispatched_at timestamptz,
  completed_at timestamptz,
  process text collate "C",
  process_key text collate "C",
  cause text,
  primary key (tenant_id, command_id),
  -- As short as it can be: each INSERT and UPDATE parses it anew.
  constraint commands_open_or_ended check (
    case when completed_at is null then outcome is null and status = any ('{pending,dispatched}')
    else outcome is not null and status = any ('{succeeded,rejected,failed}') end
  )
) with (
  -- A command's row is updated three times in a second of life: vacuum must come by the number of dead rows, not by a share of an archive
  -- that grows.
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000
);
comment on table intent.commands is 'Requests to change something, and how each ended: the queue and its archive.';
comment on column intent.commands.tenant_id is 'Whose it is.';
comment on column intent.commands.command_id is 'Chosen by the sender; sent again, it is the same command.';
comment on column intent.commands.aggregate_type is 'The type of aggregate that it is for, which its own type decides.';
comment on column intent.commands.aggregate_id is 'The aggregate that it is for.';
comment on column intent.commands.type is 'What is asked for, in the imperative.';
comment on column intent.commands.schema_version is 'That of the payload, as it was sent.';
comment on column intent.commands.payload is 'What it says, by the schema of its type.';
comment on column intent.commands.actor_user_id is 'Who sent it, set by the database; null: the system.';
comment on column intent.commands.actor_role is 'The membership''s role at submission, set by the database.';
comment on column intent.commands.correlation_id is 'Of all that comes of one request; its own id if it begins one.';
comment on column intent.commands.causation_id is 'The command behind it; null: it begins.';
comment on column intent.commands.expected_version is 'The version that the client decided on; null: any.';
comment on column intent.commands.execute_at is 'Not before this moment; null: at once.';
comment on column intent.commands.request_hash is 'SHA-256 of submitter and content: tells a repeated request from a reused id.';
comment on column intent.commands.status is 'pending, dispatched, succeeded, rejected or failed.';
comment on column intent.commands.attempts is 'How often it was claimed.';
comment on column intent.commands.claimed_by is 'The pump that has it in flight; stays until the command is settled.';
comment on column intent.commands.claimed_until is 'End of the claim''s lease, on the database''s clock.';
comment on column intent.commands.fencing_token is 'Raised by each claim; a report with an older one is refused.';
comment on column intent.commands.outcome is 'For the client. The shape depends on the status.';
comment on column intent.commands.error is 'For the operator: why it was dead-lettered.';
comment on column intent.commands.traceparent is 'The trace that it belongs to (W3C); null: none.';
comment on column intent.commands.submitted_at is 'When it was stored.';
comment on column intent.commands.due_at is 'Order within an aggregate, and when a claim may take it.';
comment on column intent.commands.dispatched_at is 'When the engine had it; null: it has not been told.';
comment on column intent.commands.completed_at is 'When it was settled; null: it is open.';
comment on column intent.commands.process is 'The process manager that sent it, which is told the outcome; null: somebody else.';
comment on column intent.commands.process_key is 'Which instance of the process manager.';
comment on column intent.commands.cause is 'What the system sent it for, as command_trace names it: an event''s position, a command, an answer, a timer, or a schedule''s occasion; null: a person or operator sent it.';

-- Claims look at open commands only, so that they stay fast however many are settled. Unclaimed commands and claimed ones that are not
-- marked yet are looked for apart: the first by tenant and age, the second by the end of the lease. So rows in flight cost a claim nothing.
create index if not exists commands_unclaimed on intent.commands (tenant_id, due_at, command_id)
  where status = 'pending' and claimed_by is null;
create index if not exists commands_claimed on intent.commands (claimed_until) where status = 'pending' and claimed_by is not null;
create index if not exists commands_open_of_aggregate on intent.commands (tenant_id, aggregate_type, aggregate_id, due_at, command_id)
  where status in ('pending', 'dispatched');
-- Never two commands of one aggregate in flight, whatever the claiming code does.
create unique index if not exists commands_one_in_flight on intent.commands (tenant_id, aggregate_type, aggregate_id)
  where claimed_by is not null and status in ('pending', 'dispatched');
-- For the reconciler: what was dispatched and has no outcome.
create index if not exists commands_dispatched on intent.commands (dispatched_at) where status = 'dispatched';
-- Nearly every command correlates with itself and is found by its id: only the others need the index, which each change of a command's
-- status has to write.
create index if not exists commands_correlated on intent.commands (correlation_id) where correlation_id <> command_id;
create index if not exists commands_failed on intent.commands (tenant_id, completed_at) where status = 'failed';
-- How many commands of a tenant were rejected lately, for broadcast_outcome.
create index if not exists commands_rejected on intent.commands (tenant_id, completed_at) where status = 'rejected';
-- For prune_commands.
create index if not exists commands_ended on intent.commands (completed_at) where status in ('succeeded', 'rejected');
--! EndIncluded tables/commands.sql
--! Included tables/claim_turns.sql
-- A claim notes its turn in a row that no other has at hand; there are as many as claims have ever been open at once.
create table if not exists intent.claim_turns (
  tenant_id uuid not null,
  turn bigint generated always as identity primary key,
  served_at timestamptz not null default clock_timestamp()
);
comment on table intent.claim_turns is 'The tenant that was served last, by the latest row: the next claim begins behind it, so that nobody starves.';
comment on column intent.claim_turns.tenant_id is 'Whose turn it was.';
comment on column intent.claim_turns.turn is 'Names the row. A claim writes over the oldest that no other claim has locked.';
comment on sequence intent.claim_turns_turn_seq is 'Names the rows of claim_turns.';
comment on column intent.claim_turns.served_at is 'When the claim was made.';
--! EndIncluded tables/claim_turns.sql
--! Included tables/submission_counts.sql
-- One row for each user and one, under the nil uuid, for the tenant.
create table if not exists intent.submission_counts (
  tenant_id uuid not null,
  user_id uuid not null,
  counted_second timestamptz not null,
  submissions integer not null,
  primary key (tenant_id, user_id)
) with (fillfactor = 50);
comment on table intent.submission_counts is 'Submissions in the current second, for tenants with a limit only.';
comment on column intent.submission_counts.tenant_id is 'Whose submissions.';
comment on column intent.submission_counts.user_id is 'Whose submissions; the nil uuid: all of the tenant''s.';
comment on column intent.submission_counts.counted_second is 'The second that is counted.';
comment on column intent.submission_counts.submissions is 'How many there were in it.';
--! EndIncluded tables/submission_counts.sql
--! Included tables/events.sql
create table if not exists intent.events (
  tenant_id uuid not null,
  position bigint not null,
  aggregate_type text collate "C" not null,
  aggregate_id text collate "C" not null,
  version bigint not null,
  type text collate "C" not null,
  schema_version integer not null,
  payload jsonb not null,
  metadata jsonb not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, position),
  unique (tenant_id, aggregate_type, aggregate_id, version)
);
comment on table intent.events is 'The facts. Appended by intent.append_events only; never changed, never deleted.';
comment on column intent.events.tenant_id is 'Whose it is.';
comment on column intent.events.position is 'The event''s place in its tenant''s history: 1, 2, 3 …, contiguous, in commit order.';
comment on column intent.events.aggregate_type is 'The type of its stream''s aggregate.';
comment on column intent.events.aggregate_id is 'The aggregate that it is of.';
comment on column intent.events.version is 'The event''s place in its stream: 1, 2, 3 …';
comment on column intent.events.type is 'What happened, in the past tense.';
comment on column intent.events.schema_version is 'That of the payload, as it was recorded; readers upcast older ones.';
comment on column intent.events.payload is 'What is to be known of it.';
comment on column intent.events.metadata is 'commandId, correlationId, causationId, actor, traceparent.';
comment on column intent.events.recorded_at is 'When it was appended; never steps back within a tenant.';
--! EndIncluded tables/events.sql
--! Included tables/snapshots.sql
create table if not exists intent.snapshots (
  tenant_id uuid not null,
  aggregate_type text collate "C" not null,
  aggregate_id text collate "C" not null,
  version bigint not null check (version > 0),
  state_version integer not null,
  state jsonb not null,
  taken_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, aggregate_type, aggregate_id)
);
comment on table intent.snapshots is 'The newest cached state of a stream. Derived: any row may be deleted at any time.';
comment on column intent.snapshots.tenant_id is 'Whose it is.';
comment on column intent.snapshots.aggregate_type is 'The type of its stream''s aggregate.';
comment on column intent.snapshots.aggregate_id is 'The aggregate that it is of.';
comment on column intent.snapshots.version is 'That of the stream when it was taken.';
comment on column intent.snapshots.state_version is 'Changes with evolve or the state''s shape; a snapshot of another one is not used.';
comment on column intent.snapshots.state is 'What the events up to that version fold to.';
comment on column intent.snapshots.taken_at is 'When it was taken.';
--! EndIncluded tables/snapshots.sql
--! Included tables/withheld_hints.sql
create table if not exists intent.withheld_hints (
  tenant_id uuid primary key references intent.tenants,
  announced_position bigint not null,
  announced_at timestamptz not null default '-infinity'
);
comment on table intent.withheld_hints is 'The tenants above their rate of hints: the pump tells their members in one message a second.';
comment on column intent.withheld_hints.tenant_id is 'Whose hints are withheld.';
comment on column intent.withheld_hints.announced_position is 'Members have been told of the log up to here.';
comment on column intent.withheld_hints.announced_at is 'When they were told last.';
--! EndIncluded tables/withheld_hints.sql
--! Included tables/reactions.sql
create table if not exists intent.reactions (
  tenant_id uuid not null,
  process text collate "C" not null,
  key text collate "C" not null,
  sequence bigint not null,
  message jsonb not null,
  queued_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, process, key, sequence)
);
comment on table intent.reactions is 'Events, outcomes and answers queued for process managers.';
comment on column intent.reactions.tenant_id is 'Whose it is.';
comment on column intent.reactions.process is 'The process manager that it is for.';
comment on column intent.reactions.key is 'Which instance of it.';
comment on column intent.reactions.sequence is 'Its place among those of the instance.';
comment on column intent.reactions.message is 'What is to be reacted to: an event, an outcome, an answer, a cancellation.';
comment on column intent.reactions.queued_at is 'When it was queued.';
--! EndIncluded tables/reactions.sql
--! Included tables/processes.sql
-- An instance is woken until it has done all that there is to do. Its row numbers its reactions, so that they are in commit order, and its
-- step tells two workers apart that advance it at once.
create table if not exists intent.processes (
  tenant_id uuid not null,
  process text collate "C" not null,
  key text collate "C" not null,
  state jsonb,
  state_version integer,
  status text not null check (status in ('open', 'done', 'failed')),
  next_timer timestamptz,
  step bigint not null default 0,
  last_sequence bigint not null default 0,
  timers jsonb not null default '{}',
  calls jsonb not null default '{}',
  wake_at timestamptz,
  correlation_id uuid,
  traceparent text,
  error jsonb,
  failed_at timestamptz,
  timer_causes jsonb not null default '{}',
  primary key (tenant_id, process, key)
);
comment on table intent.processes is 'The state of each process manager.';
comment on column intent.processes.tenant_id is 'Whose it is.';
comment on column intent.processes.process is 'The process manager.';
comment on column intent.processes.key is 'Which instance of it.';
comment on column intent.processes.state is 'What the process manager remembers; null before its first step.';
comment on column intent.processes.state_version is 'That of the state; null before its first step.';
comment on column intent.processes.status is 'How the instance stands: open, done, or failed until an operator retries it.';
comment on column intent.processes.next_timer is 'When its next timer is due; null: none is set.';
comment on column intent.processes.step is 'How often it has been advanced.';
comment on column intent.processes.last_sequence is 'The number of its last reaction.';
comment on column intent.processes.timers is 'By name, when each is due.';
comment on column intent.processes.calls is 'By id, the outside calls that have no answer: { name, request, causationId }.';
comment on column intent.processes.wake_at is 'When somebody must look after it, if nobody has by then; null: there is nothing to do.';
comment on column intent.processes.correlation_id is 'Of the request that began it, or had it go on last; a command that has none behind it carries it.';
comment on column intent.processes.traceparent is 'The trace that it belongs to (W3C); null: none.';
comment on column intent.processes.error is 'Why it has failed.';
comment on column intent.processes.failed_at is 'When it failed; null: it has not.';
comment on column intent.processes.timer_causes is 'By name, the command behind each timer.';
create index if not exists processes_to_wake on intent.processes (wake_at) where wake_at is not null;
--! EndIncluded tables/processes.sql
--! Included tables/process_events.sql
create table if not exists intent.process_events (
  process text collate "C" not null,
  event_type text collate "C" not null,
  key_path text not null,
  primary key (process, event_type)
);
comment on table intent.process_events is 'The events that process managers react to, generated from the registry (npm run generate).';
comment on column intent.process_events.process is 'The process manager.';
comment on column intent.process_events.event_type is 'The type of event that it is told of.';
comment on column intent.process_events.key_path is 'The payload''s field that is the key of the instance; empty: the aggregate''s id.';
--! EndIncluded tables/process_events.sql
--! Included tables/process_trace.sql
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
comment on column intent.process_trace.causation_id is 'The command behind it; null if there is none.';
comment on column intent.process_trace.cause is 'What came directly before it: the id of an entry, "position <n>", or a command''s id.';
create index if not exists process_trace_by_age on intent.process_trace (at);
create index if not exists process_trace_of_request on intent.process_trace (correlation_id);
--! EndIncluded tables/process_trace.sql
--! Included tables/schedules.sql
-- Temporal keeps their time; here is what is to be sent, when, and as whom.
create table if not exists intent.schedules (
  tenant_id uuid not null references intent.tenants,
  schedule_id text collate "C" not null check (schedule_id ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
  cron text not null check (cron ~ '^[0-9*,/A-Za-z-]+( [0-9*,/A-Za-z-]+){4}$' and length(cron) <= 100),
  time_zone text not null,
  user_id uuid not null,
  type text collate "C" not null,
  aggregate_type text collate "C" not null,
  aggregate_id text collate "C" not null,
  payload jsonb not null,
  paused_because text,
  created_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, schedule_id)
);
comment on table intent.schedules is 'Commands that recur, each sent as the member who scheduled it.';
comment on column intent.schedules.tenant_id is 'Whose it is.';
comment on column intent.schedules.schedule_id is 'Its name, chosen by who made it.';
comment on column intent.schedules.cron is 'Minute, hour, day of month, month, day of week.';
comment on column intent.schedules.time_zone is 'An IANA name: when the cron expression is true.';
comment on column intent.schedules.user_id is 'Who scheduled it; it is sent with the role that this member has then.';
comment on column intent.schedules.type is 'Of the command that is sent.';
comment on column intent.schedules.aggregate_type is 'The type of aggregate that the command is for.';
comment on column intent.schedules.aggregate_id is 'May hold {month} (2026-12), {date} (2026-12-01) or {uuid}: of each occasion. So may the payload''s texts.';
comment on column intent.schedules.payload is 'What the command says.';
comment on column intent.schedules.paused_because is 'Why it does not run; null: it runs.';
comment on column intent.schedules.created_at is 'When it was made.';
comment on column intent.schedules.changed_at is 'When it was last changed.';
--! EndIncluded tables/schedules.sql
--! Included tables/tenant_secrets.sql
-- Ids of the system that must be the same when something is repeated are derived with it, so that no member can know them beforehand.
create table if not exists intent.tenant_secrets (
  tenant_id uuid primary key references intent.tenants,
  secret uuid not null default gen_random_uuid()
);
comment on table intent.tenant_secrets is 'What ids of a tenant''s system commands are derived with. No client and no login role reads it.';
comment on column intent.tenant_secrets.tenant_id is 'Whose secret it is.';
comment on column intent.tenant_secrets.secret is 'Random. If an administrator deletes the row, later ids are new.';
--! EndIncluded tables/tenant_secrets.sql
--! Included tables/checkpoints.sql
-- Consumers outside of SQL read each tenant's feed from their checkpoint, under a lease.
create table if not exists intent.checkpoints (
  tenant_id uuid not null,
  subscription text collate "C" not null,
  position bigint not null default 0 check (position >= 0),
  claimed_until timestamptz,
  fencing_token bigint not null default 0,
  primary key (tenant_id, subscription)
);
comment on table intent.checkpoints is 'How far each asynchronous subscriber has read.';
comment on column intent.checkpoints.tenant_id is 'Whose events are read.';
comment on column intent.checkpoints.subscription is 'Who reads them.';
comment on column intent.checkpoints.position is 'Up to where they are read.';
comment on column intent.checkpoints.claimed_until is 'Until when one consumer has it to itself; null: nobody has.';
comment on column intent.checkpoints.fencing_token is 'Raised by each claim; an acknowledgement with an older one is refused.';
--! EndIncluded tables/checkpoints.sql
--! Included tables/skipped_events.sql
create table if not exists intent.skipped_events (
  tenant_id uuid not null,
  subscription text collate "C" not null,
  position bigint not null,
  error jsonb not null,
  skipped_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, subscription, position)
);
comment on table intent.skipped_events is 'Events that a subscriber could not deal with, and went past: its dead letters.';
comment on column intent.skipped_events.tenant_id is 'Whose it is.';
comment on column intent.skipped_events.subscription is 'Who could not deal with it.';
comment on column intent.skipped_events.position is 'The event''s.';
comment on column intent.skipped_events.error is 'Why it could not.';
comment on column intent.skipped_events.skipped_at is 'When it was passed over.';
--! EndIncluded tables/skipped_events.sql
--! Included tables/operator_log.sql
create table if not exists intent.operator_log (
  entry_id uuid primary key default gen_random_uuid(),
  asked_at timestamptz not null default clock_timestamp(),
  asked_by text not null default session_user,
  action text not null,
  tenant_id uuid,
  details jsonb not null default '{}'
);
comment on table intent.operator_log is 'Who looked across tenants or changed a command, and when.';
comment on column intent.operator_log.entry_id is 'Of the entry.';
comment on column intent.operator_log.asked_at is 'When it was done.';
comment on column intent.operator_log.asked_by is 'The login that did it.';
comment on column intent.operator_log.action is 'The function that was called.';
comment on column intent.operator_log.tenant_id is 'The tenant that it was about; null: all, or none.';
comment on column intent.operator_log.details is 'With what.';
--! EndIncluded tables/operator_log.sql
--! Included tables/read_models.sql
create table if not exists intent.read_models (
  read_model text collate "C" primary key check (read_model ~ '^[a-z][a-z0-9_]{0,55}$'),
  aggregate_column text not null,
  trigger_name text not null,
  filled_at timestamptz
);
comment on table intent.read_models is
  'The app''s read models: each is a table of schema intent, which a trigger on intent.events keeps, and <read_model>_as_of makes from the events alone.';
comment on column intent.read_models.read_model is 'That of its table.';
comment on column intent.read_models.aggregate_column is 'The column with the id of the aggregate whose events make the row.';
comment on column intent.read_models.trigger_name is 'That of the trigger on intent.events.';
comment on column intent.read_models.filled_at is 'When the events of before it was there were in it; null: they are not yet.';
--! EndIncluded tables/read_models.sql
reset role;
--! EndIncluded state.sql
--! Included behaviour.sql
-- Every function, trigger, policy, view and grant of the framework; those of the app are in app/behaviour.sql. Each file can be run again.

set local role intent_owner;

-- Who is asking, and for which tenant.
--! Included who/uuid_claim.sql
-- A verified claim of the request, as PostgREST and Realtime set them, that must be a uuid in its canonical form; anything else,
-- and claims that are no JSON, are as good as missing. In plpgsql, like everything here that the planner cannot inline: a session
-- keeps its plans. One function, without helpers: every statement under a policy calls it a few times.
create or replace function intent.uuid_claim(name text) returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  claims text := current_setting('request.jwt.claims', true);
  claim jsonb := case when pg_input_is_valid(claims, 'jsonb') then claims::jsonb -> name end;
  value text := claim #>> '{}';
begin
  return case when jsonb_typeof(claim) = 'string' and pg_input_is_valid(value, 'uuid') and value = value::uuid::text then value::uuid end;
end
$$;
comment on function intent.uuid_claim(text) is 'A claim of the request as a uuid; null if missing or not in canonical form.';
grant execute on function intent.uuid_claim(text) to authenticated, intent_system;
--! EndIncluded who/uuid_claim.sql
--! Included who/current_user_id.sql
-- The signed-in user: the subject of the verified claims; null if nobody is signed in.
create or replace function intent.current_user_id() returns uuid
language sql stable
as $$
  select intent.uuid_claim('sub');
$$;
comment on function intent.current_user_id() is 'The signed-in user''s id; null if nobody is signed in.';
grant execute on function intent.current_user_id() to authenticated, intent_system;
--! EndIncluded who/current_user_id.sql
--! Included who/request_claims.sql
-- The verified claims of the request, as PostgREST and Realtime set them; null if there are none, or they are no JSON.
create or replace function intent.request_claims() returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  given text := current_setting('request.jwt.claims', true);
begin
  return case when pg_input_is_valid(given, 'jsonb') then given::jsonb end;
end
$$;
comment on function intent.request_claims() is 'The verified claims of the request; null if there are none.';
grant execute on function intent.request_claims() to intent_system;
--! EndIncluded who/request_claims.sql
--! Included who/entry_refusal.sql
-- Why a token's claims do not open a tenant to a member of it, by the tenant's rules of signing in; null if they do. For
-- claimed_membership, which decides what policies decide by, and for what chooses the tenant of a token.
create or replace function intent.entry_refusal(requires_aal2 boolean, allows_oauth_clients boolean, claims jsonb) returns text
language sql stable
as $$
  select case
    when claims ->> 'client_id' <> '' and not allows_oauth_clients then 'client_not_allowed'
    when requires_aal2 and claims ->> 'aal' is distinct from 'aal2' then 'second_factor_required'
  end;
$$;
comment on function intent.entry_refusal(boolean, boolean, jsonb) is
  'Why these claims do not open a tenant of these rules: client_not_allowed or second_factor_required; null if they do.';
grant execute on function intent.entry_refusal(boolean, boolean, jsonb) to intent_system;
--! EndIncluded who/entry_refusal.sql
--! Included who/refuse_entry.sql
-- Tells a person why it may not act in a tenant: IN403, with DETAIL { "reason": … } for programs and a hint for people.
create or replace function intent.refuse_entry(reason text) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'IN403',
    message = case reason
      when 'second_factor_required' then 'this tenant asks for a second factor'
      when 'client_not_allowed' then 'this tenant does not let third-party applications in'
      else 'you are not a member of this tenant'
    end,
    detail = jsonb_build_object('reason', reason),
    hint = case reason
      when 'second_factor_required' then 'Verify a second factor, then refresh the session.'
      when 'client_not_allowed' then 'Sign in by the application of the tenant, or ask an owner to allow OAuth clients.'
      else 'Sign in again, or switch to a tenant that you belong to.'
    end;
end
$$;
comment on function intent.refuse_entry(text) is 'Raises IN403 with the reason: not_a_member, second_factor_required or client_not_allowed.';
grant execute on function intent.refuse_entry(text) to intent_system;
--! EndIncluded who/refuse_entry.sql
--! Included who/current_tenant_id.sql
-- The tenant that policies for people compare with. Null means no tenant: no rows, never an error. (Our own functions have
-- intent.entered_tenant_id instead.)
create or replace function intent.current_tenant_id() returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (intent.claimed_membership()).tenant_id;
end
$$;
comment on function intent.current_tenant_id() is 'The tenant that the request claims, if the user is an active member of it; else null.';
grant execute on function intent.current_tenant_id() to authenticated, intent_system;
--! EndIncluded who/current_tenant_id.sql
--! Included who/enter_tenant.sql
-- The tenant that a definer function works for, until its transaction ends: what the owner's policies compare with.
-- Only definer functions call this; a login that sets the variable by hand gains nothing, since it has no table privileges.
create or replace function intent.enter_tenant(tenant_id uuid) returns text
language sql volatile
as $$
  select pg_catalog.set_config('intent.tenant_id', coalesce(tenant_id::text, ''), true);
$$;
comment on function intent.enter_tenant(uuid) is 'Sets the tenant of this transaction for the owner''s policies.';
--! EndIncluded who/enter_tenant.sql
--! Included who/entered_tenant_id.sql
-- nullif: a setting that was local to an earlier transaction reads as '' and not as null. Inlined into the policies.
create or replace function intent.entered_tenant_id() returns uuid
language sql stable
as $$
  select nullif(pg_catalog.current_setting('intent.tenant_id', true), '')::uuid;
$$;
comment on function intent.entered_tenant_id() is 'The tenant that a definer function has entered in this transaction.';
--! EndIncluded who/entered_tenant_id.sql
--! Included who/current_role_in_tenant.sql
-- The signed-in user's role in the current tenant, from the membership's row and not from the claim.
create or replace function intent.current_role_in_tenant() returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (intent.claimed_membership()).role;
end
$$;
comment on function intent.current_role_in_tenant() is 'The user''s role in the current tenant; null if it has none.';
grant execute on function intent.current_role_in_tenant() to authenticated, intent_system;
--! EndIncluded who/current_role_in_tenant.sql
--! Included who/check_request.sql
-- PostgREST calls it before each request, by its setting db-pre-request. A count that the planner estimates would be of all tenants' rows:
-- policies do not touch statistics. Raises IN422.
create or replace function intent.check_request() returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('request.headers', true)::jsonb ->> 'prefer' ~* 'count\s*=\s*(planned|estimated)' then
    raise exception using
      errcode = 'IN422',
      message = 'only exact counts are given',
      hint = 'Send Prefer: count=exact.';
  end if;
end
$$;
comment on function intent.check_request() is 'Refuses what a request may not ask of PostgREST: estimated counts (IN422).';
grant execute on function intent.check_request() to authenticated;
--! EndIncluded who/check_request.sql

-- Walls before doors: policies on every table, then grants.
--! Included policies/tenants.sql
-- A member sees its own tenant.
alter table intent.tenants enable row level security;
alter table intent.tenants force row level security;

drop policy if exists owner_in_tenant on intent.tenants;
create policy owner_in_tenant on intent.tenants for select to intent_owner
  using (tenant_id = intent.entered_tenant_id());

drop policy if exists tenant_wall on intent.tenants;
create policy tenant_wall on intent.tenants as restrictive to authenticated
  using (tenant_id = (select intent.current_tenant_id()))
  with check (tenant_id = (select intent.current_tenant_id()));

drop policy if exists members_read on intent.tenants;
create policy members_read on intent.tenants for select to authenticated
  using (tenant_id = (select intent.current_tenant_id()));
grant select on intent.tenants to authenticated;

-- For claims, the token hook, my_tenants, create_tenant, set_limits, set_schedule_limits, set_isolation and set_sign_in_rules.
drop policy if exists system_reads on intent.tenants;
create policy system_reads on intent.tenants for select to intent_system using (true);
drop policy if exists system_creates on intent.tenants;
create policy system_creates on intent.tenants for insert to intent_system with check (true);
drop policy if exists system_changes on intent.tenants;
create policy system_changes on intent.tenants for update to intent_system using (true) with check (true);
grant select, insert on intent.tenants to intent_system;
grant update (hints_per_second, commands_per_second, commands_per_second_per_user, isolation, fairness_weight, schedules_per_member, schedule_minutes_apart, requires_aal2, allows_oauth_clients) on intent.tenants to intent_system;
--! EndIncluded policies/tenants.sql
--! Included policies/memberships.sql
-- Users see their own memberships. These policies must not call current_tenant_id(), which reads this table.
alter table intent.memberships enable row level security;
alter table intent.memberships force row level security;

drop policy if exists owner_looks_up on intent.memberships;
create policy owner_looks_up on intent.memberships for select to intent_owner
  using (tenant_id = intent.entered_tenant_id());

drop policy if exists user_wall on intent.memberships;
create policy user_wall on intent.memberships as restrictive to authenticated
  using (user_id = (select intent.current_user_id()))
  with check (user_id = (select intent.current_user_id()));

drop policy if exists users_read_their_own on intent.memberships;
create policy users_read_their_own on intent.memberships for select to authenticated
  using (user_id = (select intent.current_user_id()));
grant select on intent.memberships to authenticated;

-- For claimed_membership, the token hook, my_tenants, switch_tenant, add_member, and what owners do with members.
drop policy if exists system_reads on intent.memberships;
create policy system_reads on intent.memberships for select to intent_system using (true);
drop policy if exists system_adds on intent.memberships;
create policy system_adds on intent.memberships for insert to intent_system with check (true);
drop policy if exists system_changes on intent.memberships;
create policy system_changes on intent.memberships for update to intent_system using (true) with check (true);
grant select, insert on intent.memberships to intent_system;
grant update (role, status, invited_by, expires_at) on intent.memberships to intent_system;
--! EndIncluded policies/memberships.sql
--! Included policies/membership_log.sql
-- Owners read their tenant's. Written by the trigger on memberships, as the one who changes those.
alter table intent.membership_log enable row level security;
alter table intent.membership_log force row level security;

drop policy if exists tenant_wall on intent.membership_log;
create policy tenant_wall on intent.membership_log as restrictive to authenticated
  using (tenant_id = (select intent.current_tenant_id()))
  with check (tenant_id = (select intent.current_tenant_id()));

drop policy if exists owners_read on intent.membership_log;
create policy owners_read on intent.membership_log for select to authenticated
  using (tenant_id = (select intent.current_tenant_id()) and (select intent.current_role_in_tenant()) = 'owner');
grant select on intent.membership_log to authenticated;

drop policy if exists system_writes on intent.membership_log;
create policy system_writes on intent.membership_log for insert to intent_system with check (true);
grant insert on intent.membership_log to intent_system;
--! EndIncluded policies/membership_log.sql
--! Included policies/session_tenants.sql
-- Only switch_tenant, the token hook and remove_user touch it.
alter table intent.session_tenants enable row level security;
alter table intent.session_tenants force row level security;

drop policy if exists system_keeps on intent.session_tenants;
create policy system_keeps on intent.session_tenants to intent_system using (true) with check (true);
grant select, insert, update, delete on intent.session_tenants to intent_system;
--! EndIncluded policies/session_tenants.sql
--! Included policies/message_types.sql
-- A catalogue without tenants: the functions read it, migrations write it.
alter table intent.message_types enable row level security;
alter table intent.message_types force row level security;

drop policy if exists owner_keeps on intent.message_types;
create policy owner_keeps on intent.message_types to intent_owner using (true) with check (true);

drop policy if exists system_reads on intent.message_types;
create policy system_reads on intent.message_types for select to intent_system using (true);
grant select on intent.message_types to intent_system;
--! EndIncluded policies/message_types.sql
--! Included policies/commands.sql
-- A member sees the commands that it sent, an owner all of the tenant's. Nobody inserts but through submit_command.
alter table intent.commands enable row level security;
alter table intent.commands force row level security;

drop policy if exists owner_in_tenant on intent.commands;
create policy owner_in_tenant on intent.commands to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists tenant_wall on intent.commands;
create policy tenant_wall on intent.commands as restrictive to authenticated
  using (tenant_id = (select intent.current_tenant_id()))
  with check (tenant_id = (select intent.current_tenant_id()));

drop policy if exists submitter_or_owner_reads on intent.commands;
create policy submitter_or_owner_reads on intent.commands for select to authenticated
  using (tenant_id = (select intent.current_tenant_id()) and (actor_user_id = (select intent.current_user_id()) or (select intent.current_role_in_tenant()) = 'owner'));
grant select on intent.commands to authenticated;

-- Claims span tenants. An update policy is needed for FOR UPDATE SKIP LOCKED too: without it a claim silently finds nothing.
drop policy if exists system_reads on intent.commands;
create policy system_reads on intent.commands for select to intent_system using (true);
drop policy if exists system_claims on intent.commands;
create policy system_claims on intent.commands for update to intent_system using (true) with check (true);
grant select on intent.commands to intent_system;
grant update (claimed_by, claimed_until, fencing_token, attempts) on intent.commands to intent_system;
drop policy if exists system_prunes on intent.commands;
create policy system_prunes on intent.commands for delete to intent_system
  using (status in ('succeeded', 'rejected'));
grant delete on intent.commands to intent_system;
--! EndIncluded policies/commands.sql
--! Included policies/claim_turns.sql
-- Only claim_commands touches it.
alter table intent.claim_turns enable row level security;
alter table intent.claim_turns force row level security;

drop policy if exists system_keeps on intent.claim_turns;
create policy system_keeps on intent.claim_turns to intent_system using (true) with check (true);
grant select, insert, update on intent.claim_turns to intent_system;
--! EndIncluded policies/claim_turns.sql
--! Included policies/submission_counts.sql
-- Only the owner's functions touch it.
alter table intent.submission_counts enable row level security;
alter table intent.submission_counts force row level security;

drop policy if exists owner_in_tenant on intent.submission_counts;
create policy owner_in_tenant on intent.submission_counts to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());
--! EndIncluded policies/submission_counts.sql
--! Included policies/withheld_hints.sql
-- Only the owner's functions note a tenant here, and only announce_withheld_hints tells its members.
alter table intent.withheld_hints enable row level security;
alter table intent.withheld_hints force row level security;

drop policy if exists owner_in_tenant on intent.withheld_hints;
create policy owner_in_tenant on intent.withheld_hints to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

-- For announce_withheld_hints.
drop policy if exists system_keeps on intent.withheld_hints;
create policy system_keeps on intent.withheld_hints to intent_system using (true) with check (true);
grant select, update, delete on intent.withheld_hints to intent_system;
--! EndIncluded policies/withheld_hints.sql
--! Included policies/events.sql
-- Members read their tenant's history. Nobody but the owner's functions adds to it.
alter table intent.events enable row level security;
alter table intent.events force row level security;

drop policy if exists owner_in_tenant on intent.events;
create policy owner_in_tenant on intent.events to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists tenant_wall on intent.events;
create policy tenant_wall on intent.events as restrictive to authenticated
  using (tenant_id = (select intent.current_tenant_id()))
  with check (tenant_id = (select intent.current_tenant_id()));

-- The wall stands here too, as in every policy for people: if the restrictive one is ever lost, nothing opens.
drop policy if exists members_read on intent.events;
create policy members_read on intent.events for select to authenticated
  using (tenant_id = (select intent.current_tenant_id()));
grant select on intent.events to authenticated;

-- For stream, tenant_feed and command_trace, which an operator calls.
drop policy if exists system_reads on intent.events;
create policy system_reads on intent.events for select to intent_system using (true);
grant select on intent.events to intent_system;
--! EndIncluded policies/events.sql
--! Included policies/snapshots.sql
-- Members hydrate from their tenant's snapshots.
alter table intent.snapshots enable row level security;
alter table intent.snapshots force row level security;

drop policy if exists owner_in_tenant on intent.snapshots;
create policy owner_in_tenant on intent.snapshots to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists tenant_wall on intent.snapshots;
create policy tenant_wall on intent.snapshots as restrictive to authenticated
  using (tenant_id = (select intent.current_tenant_id()))
  with check (tenant_id = (select intent.current_tenant_id()));

drop policy if exists members_read on intent.snapshots;
create policy members_read on intent.snapshots for select to authenticated
  using (tenant_id = (select intent.current_tenant_id()));
grant select on intent.snapshots to authenticated;

-- For doctor.
drop policy if exists system_reads on intent.snapshots;
create policy system_reads on intent.snapshots for select to intent_system using (true);
grant select on intent.snapshots to intent_system;
--! EndIncluded policies/snapshots.sql
--! Included policies/reactions.sql
-- Only functions touch it: the owner's for one tenant, the backlog over all.
alter table intent.reactions enable row level security;
alter table intent.reactions force row level security;

drop policy if exists owner_in_tenant on intent.reactions;
create policy owner_in_tenant on intent.reactions to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists system_reads on intent.reactions;
create policy system_reads on intent.reactions for select to intent_system using (true);
grant select on intent.reactions to intent_system;
--! EndIncluded policies/reactions.sql
--! Included policies/processes.sql
-- Only functions touch it: the owner's for one tenant, claims over all.
alter table intent.processes enable row level security;
alter table intent.processes force row level security;

drop policy if exists owner_in_tenant on intent.processes;
create policy owner_in_tenant on intent.processes to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists system_reads on intent.processes;
create policy system_reads on intent.processes for select to intent_system using (true);
drop policy if exists system_claims on intent.processes;
create policy system_claims on intent.processes for update to intent_system using (true) with check (true);
grant select on intent.processes to intent_system;
grant update (wake_at) on intent.processes to intent_system;
--! EndIncluded policies/processes.sql
--! Included policies/process_events.sql
-- Of the registry, and of no tenant. Only the owner's functions read it.
alter table intent.process_events enable row level security;
alter table intent.process_events force row level security;

drop policy if exists owner_keeps on intent.process_events;
create policy owner_keeps on intent.process_events to intent_owner using (true) with check (true);
--! EndIncluded policies/process_events.sql
--! Included policies/process_trace.sql
-- Only functions touch it: the owner's write for one tenant, an operator's read and prune over all.
alter table intent.process_trace enable row level security;
alter table intent.process_trace force row level security;

drop policy if exists owner_in_tenant on intent.process_trace;
create policy owner_in_tenant on intent.process_trace to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists system_reads on intent.process_trace;
create policy system_reads on intent.process_trace for select to intent_system using (true);
drop policy if exists system_prunes on intent.process_trace;
create policy system_prunes on intent.process_trace for delete to intent_system using (true);
grant select, delete on intent.process_trace to intent_system;
--! EndIncluded policies/process_trace.sql
--! Included policies/schedules.sql
-- Members see their own schedules, owners all of the tenant's. Only functions write.
alter table intent.schedules enable row level security;
alter table intent.schedules force row level security;

drop policy if exists owner_in_tenant on intent.schedules;
create policy owner_in_tenant on intent.schedules to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists tenant_wall on intent.schedules;
create policy tenant_wall on intent.schedules as restrictive to authenticated
  using (tenant_id = (select intent.current_tenant_id()))
  with check (tenant_id = (select intent.current_tenant_id()));

drop policy if exists scheduler_or_owner_reads on intent.schedules;
create policy scheduler_or_owner_reads on intent.schedules for select to authenticated
  using (tenant_id = (select intent.current_tenant_id()) and (user_id = (select intent.current_user_id()) or (select intent.current_role_in_tenant()) = 'owner'));
grant select on intent.schedules to authenticated;

-- Temporal's schedules are kept in step with those of all tenants.
drop policy if exists system_reads on intent.schedules;
create policy system_reads on intent.schedules for select to intent_system using (true);
grant select on intent.schedules to intent_system;
-- For remove_user.
drop policy if exists system_ends on intent.schedules;
create policy system_ends on intent.schedules for delete to intent_system using (true);
grant delete on intent.schedules to intent_system;
--! EndIncluded policies/schedules.sql
--! Included policies/tenant_secrets.sql
-- Only functions of the owner's touch it, for one tenant.
alter table intent.tenant_secrets enable row level security;
alter table intent.tenant_secrets force row level security;

drop policy if exists owner_in_tenant on intent.tenant_secrets;
create policy owner_in_tenant on intent.tenant_secrets to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());
--! EndIncluded policies/tenant_secrets.sql
--! Included policies/checkpoints.sql
-- Only functions touch it: they serve the subscribers of all tenants.
alter table intent.checkpoints enable row level security;
alter table intent.checkpoints force row level security;

drop policy if exists owner_in_tenant on intent.checkpoints;
create policy owner_in_tenant on intent.checkpoints to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists system_keeps on intent.checkpoints;
create policy system_keeps on intent.checkpoints to intent_system using (true) with check (true);
grant select, insert, update on intent.checkpoints to intent_system;
--! EndIncluded policies/checkpoints.sql
--! Included policies/skipped_events.sql
-- Only functions touch it: they serve the subscribers of all tenants.
alter table intent.skipped_events enable row level security;
alter table intent.skipped_events force row level security;

drop policy if exists owner_in_tenant on intent.skipped_events;
create policy owner_in_tenant on intent.skipped_events to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists system_keeps on intent.skipped_events;
create policy system_keeps on intent.skipped_events to intent_system using (true) with check (true);
grant select, insert, update, delete on intent.skipped_events to intent_system;
--! EndIncluded policies/skipped_events.sql
--! Included policies/operator_log.sql
-- Written by the operator's functions; nobody changes or deletes an entry.
alter table intent.operator_log enable row level security;
alter table intent.operator_log force row level security;

drop policy if exists system_writes on intent.operator_log;
create policy system_writes on intent.operator_log for insert to intent_system with check (true);
drop policy if exists system_reads on intent.operator_log;
create policy system_reads on intent.operator_log for select to intent_system using (true);
grant select, insert on intent.operator_log to intent_system;
--! EndIncluded policies/operator_log.sql
--! Included policies/read_models.sql
-- A catalogue without tenants: functions read it, migrations write it.
alter table intent.read_models enable row level security;
alter table intent.read_models force row level security;

drop policy if exists owner_keeps on intent.read_models;
create policy owner_keeps on intent.read_models to intent_owner using (true) with check (true);

drop policy if exists system_reads on intent.read_models;
create policy system_reads on intent.read_models for select to intent_system using (true);
grant select on intent.read_models to intent_system;
--! EndIncluded policies/read_models.sql

-- Shapes that several functions return.
--! Included log/timestamp_as_text.sql
-- ISO 8601 in UTC with microseconds, whatever the session's time zone.
create or replace function intent.timestamp_as_text(moment timestamptz) returns text
language sql stable
as $$
  select pg_catalog.to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
$$;
comment on function intent.timestamp_as_text(timestamptz) is 'ISO 8601 in UTC, whatever the session''s time zone.';
grant execute on function intent.timestamp_as_text(timestamptz) to authenticated, intent_system;
--! EndIncluded log/timestamp_as_text.sql
--! Included log/event_as_json.sql
-- The one shape of an event for clients, workers and broadcasts (contract: "An event as JSON").
create or replace function intent.event_as_json(event intent.events) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'position', event.position,
    'aggregateType', event.aggregate_type,
    'aggregateId', event.aggregate_id,
    'version', event.version,
    'type', event.type,
    'schemaVersion', event.schema_version,
    'payload', event.payload,
    'metadata', event.metadata,
    'recordedAt', intent.timestamp_as_text(event.recorded_at)
  );
$$;
comment on function intent.event_as_json(intent.events) is 'An event as JSON, in the same shape everywhere.';
grant execute on function intent.event_as_json(intent.events) to authenticated, intent_system;
--! EndIncluded log/event_as_json.sql
--! Included log/cut_page.sql
-- The first of these events that come to so many bytes at most, but one at least: a page of a stream. All of them if max_bytes is null.
-- Bytes in memory, which are known without a look at each event: as text they are about as many.
create or replace function intent.cut_page(events jsonb, max_bytes integer) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(pg_column_size(cut_page.events) <= cut_page.max_bytes, true) then
    return cut_page.events;
  end if;
  return (
    select jsonb_agg(sized.event order by sized.number)
    from (
      select each.event, each.number, sum(pg_column_size(each.event)) over (order by each.number) as bytes
      from jsonb_array_elements(cut_page.events) with ordinality as each (event, number)
    ) as sized
    where sized.number = 1 or sized.bytes <= cut_page.max_bytes
  );
end
$$;
comment on function intent.cut_page(jsonb, integer) is 'The first of these events, as many as come to so many bytes at most, but one at least.';
grant execute on function intent.cut_page(jsonb, integer) to authenticated;
--! EndIncluded log/cut_page.sql
--! Included log/check_whole.sql
-- Who asks for a stream without saying that it takes pages must not take a page for all of it: it gets the whole, or a refusal.
-- Raises IN413 if the events of { version, snapshot, events } end before the version.
create or replace function intent.check_whole(stream jsonb, how_to_page text) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  last_version bigint := coalesce(stream #>> '{events,-1,version}', stream #>> '{snapshot,version}', '0');
begin
  if last_version < (stream ->> 'version')::bigint then
    raise exception using
      errcode = 'IN413',
      message = format('the stream is too long for one answer: its version is %s', stream ->> 'version'),
      hint = how_to_page;
  end if;
  return stream;
end
$$;
comment on function intent.check_whole(jsonb, text) is 'A stream as it is, or IN413 if its events are only a part.';
grant execute on function intent.check_whole(jsonb, text) to authenticated;
--! EndIncluded log/check_whole.sql
--! Included queue/command_as_json.sql
-- The answer about a command: of submit_command, of get_command and of the outcome broadcast.
create or replace function intent.command_answer(command_id uuid, status text, outcome jsonb, duplicate boolean) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'commandId', command_id,
    'status', status,
    'duplicate', duplicate,
    'outcome', outcome
  );
$$;
comment on function intent.command_answer(uuid, text, jsonb, boolean) is 'A command''s status and outcome as JSON, in the same shape everywhere.';
grant execute on function intent.command_answer(uuid, text, jsonb, boolean) to authenticated;

create or replace function intent.command_as_json(command intent.commands, duplicate boolean) returns jsonb
language sql stable
as $$
  select intent.command_answer(command.command_id, command.status, command.outcome, duplicate);
$$;
comment on function intent.command_as_json(intent.commands, boolean) is 'A command''s row as command_answer has it.';
grant execute on function intent.command_as_json(intent.commands, boolean) to authenticated;
--! EndIncluded queue/command_as_json.sql

-- Members.
--! Included log/refuse_change.sql
-- Events are append-only for everybody, the owner too, and so are the logs. ENABLE ALWAYS: also if session_replication_role = replica.
create or replace function intent.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'IN405',
    message = format('%s on %I.%I is refused: what is recorded is never changed and never deleted', tg_op, tg_table_schema, tg_table_name),
    hint = 'What was wrong is corrected by a later entry.';
end
$$;
comment on function intent.refuse_change() is 'Refuses every change of what is recorded (IN405).';

create or replace trigger append_only before update or delete on intent.events
  for each row execute function intent.refuse_change();
alter table intent.events enable always trigger append_only;

create or replace trigger never_emptied before truncate on intent.events
  for each statement execute function intent.refuse_change();
alter table intent.events enable always trigger never_emptied;

revoke update, delete, truncate on intent.events from intent_owner;
--! EndIncluded log/refuse_change.sql
--! Included members/lock_owners.sql
-- A tenant's active owners, locked until the transaction ends, in one order for all: two owners who remove each other at once
-- take turns, and the second finds itself removed.
create or replace function intent.lock_owners(of_tenant uuid) returns uuid[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select m.user_id
    from intent.memberships as m
    where m.tenant_id = of_tenant and m.role = 'owner' and m.status = 'active'
    order by m.user_id
    for update
  );
end
$$;
comment on function intent.lock_owners(uuid) is 'A tenant''s active owners, locked until the transaction ends.';
grant execute on function intent.lock_owners(uuid) to intent_system;
--! EndIncluded members/lock_owners.sql
--! Included members/keep_an_owner.sql
-- A tenant that has an owner keeps one: anyone who takes the last one's role or membership away is refused (IN422).
create or replace function intent.keep_an_owner() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if intent.lock_owners(old.tenant_id) <@ array[old.user_id] then
    raise exception using
      errcode = 'IN422',
      message = 'a tenant keeps at least one owner',
      hint = 'Make another member an owner first.';
  end if;
  return coalesce(new, old);
end
$$;
comment on function intent.keep_an_owner() is 'Refuses to take away a tenant''s last owner (IN422).';

create or replace trigger keep_an_owner before update of role, status on intent.memberships
  for each row when (old.role = 'owner' and old.status = 'active' and (new.role <> 'owner' or new.status <> 'active'))
  execute function intent.keep_an_owner();
create or replace trigger keep_an_owner_at_delete before delete on intent.memberships
  for each row when (old.role = 'owner' and old.status = 'active')
  execute function intent.keep_an_owner();
--! EndIncluded members/keep_an_owner.sql
--! Included members/record_membership_change.sql
-- Who came, went or changed role, and who did it: a signed-in user, or the login of an operator or administrator.
create or replace function intent.record_membership_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into intent.membership_log (tenant_id, action, actor_user_id, subject_user_id, details)
  values (
    new.tenant_id,
    case
      when new.status = 'invited' then 'invited'
      when new.status = 'removed' then 'removed'
      when tg_op = 'UPDATE' and old.status = 'active' then 'role_changed'
      else 'joined'
    end,
    intent.current_user_id(),
    new.user_id,
    jsonb_build_object('role', new.role) || case
      when tg_op = 'UPDATE' then jsonb_build_object('before', jsonb_build_object('status', old.status, 'role', old.role))
      else '{}'
    end
  );
  return null;
end
$$;
comment on function intent.record_membership_change() is 'Records a change of a membership, and who made it.';

create or replace trigger record_insert after insert on intent.memberships
  for each row execute function intent.record_membership_change();
create or replace trigger record_change after update on intent.memberships
  for each row when (old.status <> new.status or old.role <> new.role or old.expires_at is distinct from new.expires_at)
  execute function intent.record_membership_change();

create or replace trigger append_only before update or delete on intent.membership_log
  for each row execute function intent.refuse_change();
alter table intent.membership_log enable always trigger append_only;
create or replace trigger never_emptied before truncate on intent.membership_log
  for each statement execute function intent.refuse_change();
alter table intent.membership_log enable always trigger never_emptied;
revoke update, delete, truncate on intent.membership_log from intent_owner;
--! EndIncluded members/record_membership_change.sql

-- The event store.
--! Included queue/lock_command.sql
-- A command's row, locked until the transaction ends, so that it is settled once. Raises IN404.
create or replace function intent.lock_command(of_tenant uuid, of_command uuid) returns intent.commands
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  command intent.commands;
begin
  select c.* into command from intent.commands as c where c.tenant_id = of_tenant and c.command_id = of_command for update;
  if not found then
    raise exception using errcode = 'IN404', message = 'there is no such command';
  end if;
  return command;
end
$$;
comment on function intent.lock_command(uuid, uuid) is 'A command''s row, locked for its settlement (IN404).';

-- Says that a command has ended already, otherwise than the caller wants it to. Raises IN410.
create or replace function intent.raise_settled(command intent.commands) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'IN410',
    message = format('the command has already ended as %s', command.status),
    detail = jsonb_build_object('status', command.status)::text,
    hint = 'Nothing is left to do: its outcome stands.';
end
$$;
comment on function intent.raise_settled(intent.commands) is 'Raises IN410: the command has ended otherwise.';
--! EndIncluded queue/lock_command.sql
--! Included queue/settle_command.sql
-- Writes a command's one outcome. The caller has locked the row and seen that it is open.
create or replace function intent.settle_command(command intent.commands, status text, outcome jsonb, error jsonb default null)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update intent.commands as c
  set status = settle_command.status, outcome = settle_command.outcome, error = settle_command.error, completed_at = clock_timestamp()
  where c.tenant_id = command.tenant_id and c.command_id = command.command_id;
end
$$;
comment on function intent.settle_command(intent.commands, text, jsonb, jsonb) is 'Writes a command''s one outcome.';
--! EndIncluded queue/settle_command.sql
--! Included log/event_problem.sql
-- What keeps an event from being recorded; null if nothing does. Small enough for the planner to inline into the insert.
create or replace function intent.event_problem(event jsonb) returns text
language sql stable
as $$
  select case
    when jsonb_typeof(event) <> 'object' then 'must be an object'
    when coalesce(event ->> 'type' !~ '^[A-Z][A-Za-z0-9]*$' or length(event ->> 'type') > 100, true)
      then 'needs a type such as "OrderPlaced"'
    when jsonb_typeof(event -> 'schemaVersion') is distinct from 'number' or event ->> 'schemaVersion' !~ '^[1-9][0-9]*$'
      or length(event ->> 'schemaVersion') > 6
      then 'needs a schemaVersion from 1 to 999999'
    when jsonb_typeof(event -> 'payload') is distinct from 'object' then 'needs a payload that is an object'
    when pg_column_size(event) > 65536 and octet_length((event -> 'payload')::text) > 262144 then 'has a payload over 256 KiB'
    when jsonb_typeof(event -> 'metadata') <> 'object' then 'has metadata that is not an object'
  end;
$$;
comment on function intent.event_problem(jsonb) is 'What keeps an event from being recorded; null if nothing does.';
--! EndIncluded log/event_problem.sql
--! Included log/raise_conflict.sql
-- Raises IN001: the stream has moved on.
create or replace function intent.raise_conflict(expected_version bigint, actual_version bigint) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'IN001',
    message = format('expected version %s, but the stream is at version %s', expected_version, actual_version),
    detail = jsonb_build_object('actualVersion', actual_version)::text,
    hint = 'Load the aggregate again and decide anew.';
end
$$;
comment on function intent.raise_conflict(bigint, bigint) is 'Raises IN001: the stream has moved on.';
--! EndIncluded log/raise_conflict.sql
--! Included log/first_result.sql
-- What a succeeded command's outcome says of its append: the answer to every repetition.
create or replace function intent.first_result(outcome jsonb) returns intent.append_result
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return row((outcome ->> 'firstVersion')::bigint, (outcome ->> 'lastVersion')::bigint, (outcome ->> 'firstPosition')::bigint,
    (outcome ->> 'lastPosition')::bigint, true, null::bigint);
end
$$;
comment on function intent.first_result(jsonb) is 'What a succeeded command''s outcome says of its append.';
--! EndIncluded log/first_result.sql
--! Included log/aggregate_problem.sql
-- What keeps a stream from being begun; null if nothing does. Small enough for the planner to inline.
create or replace function intent.aggregate_problem(aggregate_type text, aggregate_id text) returns text
language sql immutable
as $$
  select case
    when coalesce(aggregate_type !~ '^[a-z][A-Za-z0-9_-]*$' or length(aggregate_type) > 100, true)
      then 'aggregate_type must be a name such as "order"'
    when coalesce(aggregate_id !~ '^[A-Za-z0-9][A-Za-z0-9._:-]*$' or length(aggregate_id) > 128, true)
      then 'aggregate_id must be 1 to 128 letters, digits, dots, colons, dashes or underscores'
  end;
$$;
comment on function intent.aggregate_problem(text, text) is 'What keeps a stream from being begun; null if nothing does.';
--! EndIncluded log/aggregate_problem.sql
--! Included log/check_open.sql
-- Refuses an append for a command that has ended (IN410) or belongs to another aggregate (IN422).
create or replace function intent.check_open(command intent.commands, aggregate_type text, aggregate_id text) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if command.completed_at is not null then
    perform intent.raise_settled(command);
  elsif (command.aggregate_type, command.aggregate_id) is distinct from (aggregate_type, aggregate_id) then
    raise exception using errcode = 'IN422', message = 'the command belongs to another aggregate';
  end if;
end
$$;
comment on function intent.check_open(intent.commands, text, text) is 'Refuses a command that has ended (IN410) or is of another aggregate (IN422).';
--! EndIncluded log/check_open.sql
--! Included log/metadata_of.sql
-- What a command says of its events: set by the database, whatever the caller of append_events has put there.
create or replace function intent.metadata_of(command intent.commands) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'commandId', command.command_id,
    'correlationId', command.correlation_id,
    'causationId', command.command_id,
    'actor', jsonb_build_object('userId', command.actor_user_id, 'role', command.actor_role),
    'traceparent', command.traceparent
  );
$$;
comment on function intent.metadata_of(intent.commands) is 'What a command says of its events: who sent it and what caused them.';
--! EndIncluded log/metadata_of.sql
--! Included log/append_as_message.sql
-- What a tenant's members are told of an append; without the events if the message would be too large for Realtime (256 KB):
-- the client then reads the feed. The size as text is what counts; the binary size, which is quick to tell, is never less than
-- a third of it. Small enough for the planner to inline.
create or replace function intent.append_as_message(
  aggregate_type text, aggregate_id text, from_position bigint, to_position bigint, events jsonb
) returns jsonb
language sql stable
as $$
  select case
    when pg_column_size(events) <= 60000 or octet_length(events::text) <= 200000 then
      jsonb_build_object('aggregateType', aggregate_type, 'aggregateId', aggregate_id, 'fromPosition', from_position,
        'toPosition', to_position, 'events', events)
    else jsonb_build_object('aggregateType', aggregate_type, 'aggregateId', aggregate_id, 'fromPosition', from_position,
      'toPosition', to_position)
  end;
$$;
comment on function intent.append_as_message(text, text, bigint, bigint, jsonb) is 'What a tenant''s members are told of an append.';
--! EndIncluded log/append_as_message.sql
--! Included doorbell/withholds_hint.sql
-- Whether hints of what is appended now are left to announce_withheld_hints: the tenant has had more events in the last ten seconds
-- than ten times its hints_per_second (docs/adr/0018). The event that came so many positions ago tells, so nothing is counted, and a row
-- is written for the first hint only that is withheld. Called under the tenant's lock, if the tenant's last event is younger than a
-- second: one that comes after a longer pause always has its hint. messages: how many hints the append would send.
--
-- Two look-ups by key, not a join: the planner would rather read all events of the tenant (docs/benchmarks.md).
create or replace function intent.withholds_hint(tenant_id uuid, head_position bigint, messages integer) returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  allowed integer;
  of_position bigint;
  is_over boolean;
begin
  select t.hints_per_second * 10 into allowed
  from intent.tenants as t
  where t.tenant_id = withholds_hint.tenant_id;
  if allowed is null then
    return false;
  end if;
  of_position := head_position + messages - allowed;
  is_over := allowed < messages;
  if not is_over and of_position > 0 then
    select e.recorded_at > clock_timestamp() - interval '10 seconds' into is_over
    from intent.events as e
    where e.tenant_id = withholds_hint.tenant_id and e.position = of_position;
  end if;
  -- Looked for first: to insert would be to wait for an announcement that has not committed.
  if is_over and not exists (select from intent.withheld_hints as w where w.tenant_id = withholds_hint.tenant_id) then
    insert into intent.withheld_hints (tenant_id, announced_position) values (tenant_id, head_position) on conflict do nothing;
  end if;
  return coalesce(is_over, false);
end
$$;
comment on function intent.withholds_hint(uuid, bigint, integer) is
  'Whether a tenant is above its rate of hints; then the pump tells its members in one.';
--! EndIncluded doorbell/withholds_hint.sql
--! Included log/record_events.sql
-- Records an append's events in one statement, for try_append, which has found where the stream and the tenant's history end.
-- Event by event the message would grow by a copy of itself, and a thousand events take seconds under the tenant's lock.
-- Returns the events as JSON, for the broadcast; null if they are too large for one, see append_as_message. Raises IN422.
create or replace function intent.record_events(
  tenant_id uuid, aggregate_type text, aggregate_id text, head_version bigint, head_position bigint, recorded_at timestamptz,
  events jsonb, command_metadata jsonb
) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  problem text;
  fit boolean := pg_column_size(events) <= 60000 or octet_length(events::text) <= 200000;
  recorded jsonb;
begin
  select format('events[%s] %s', event.no - 1, intent.event_problem(event.event)) into problem
  from jsonb_array_elements(events) with ordinality as event (event, no)
  where intent.event_problem(event.event) is not null
  order by event.no
  limit 1;
  if problem is not null then
    raise exception using errcode = 'IN422', message = problem;
  end if;
  with recording as (
    insert into intent.events as e
      (tenant_id, position, aggregate_type, aggregate_id, version, type, schema_version, payload, metadata, recorded_at)
    select tenant_id, head_position + event.no, aggregate_type, aggregate_id, head_version + event.no, event.event ->> 'type',
      (event.event ->> 'schemaVersion')::integer, event.event -> 'payload',
      coalesce(event.event -> 'metadata', '{}') - 'commandId' || command_metadata, recorded_at
    from jsonb_array_elements(events) with ordinality as event (event, no)
    order by event.no
    returning e.position, case when fit then intent.event_as_json(e) end as event
  )
  select jsonb_agg(r.event order by r.position) into recorded
  from recording as r;
  return case when fit then recorded end;
end
$$;
comment on function intent.record_events(uuid, text, text, bigint, bigint, timestamptz, jsonb, jsonb) is
  'Records the events of one append, for try_append; returns them as JSON.';
--! EndIncluded log/record_events.sql
--! Included log/try_append.sql
-- The append itself, for append_events and append_or_catch_up, which have entered the tenant. If the expected version does
-- not hold it appends nothing and returns conflicting_version. Raises IN404, IN410, IN422.
--
-- Positions without holes and in commit order: appends of one tenant take turns by a transaction-level advisory lock,
-- which is held until the commit is visible, and read the last position only after they have it. A rollback leaves no
-- hole, no row is updated that could bloat, and tenants do not wait for each other (docs/adr/0001).
--
-- Expressions and plain statements, and an assignment instead of perform: PL/pgSQL evaluates those without starting the
-- executor, which is most of what an append would cost. Functions that are inlined, and few of the others (docs/benchmarks.md).
-- So the one event that most appends have is recorded here, and several are by record_events.
create or replace function intent.try_append(
  tenant_id uuid, aggregate_type text, aggregate_id text, expected_version bigint, events jsonb, command_id uuid
) returns intent.append_result
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  command intent.commands;
  command_metadata jsonb := '{}';
  head_version bigint;
  head_position bigint;
  recorded_at timestamptz;
  is_withheld boolean;
  last_version bigint;
  last_position bigint;
  problem text;
  recorded jsonb;
  ignored text;
begin
  if command_id is not null then
    command := intent.lock_command(tenant_id, command_id);
    if command.status = 'succeeded' then
      return intent.first_result(command.outcome);
    end if;
    ignored := intent.check_open(command, aggregate_type, aggregate_id);
    command_metadata := intent.metadata_of(command);
  end if;
  if jsonb_typeof(events) is distinct from 'array' or jsonb_array_length(events) not between 1 and 1000 then
    raise exception using errcode = 'IN422', message = 'events must be an array of 1 to 1,000 objects';
  elsif current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = 'IN422', message = 'an append needs a transaction at the level read committed';
  end if;

  ignored := pg_advisory_xact_lock(hashtextextended(tenant_id::text, 0));
  -- From here on each statement's snapshot sees what the lock's last holder has committed.
  select e.version into head_version
  from intent.events as e
  where e.tenant_id = try_append.tenant_id and e.aggregate_type = try_append.aggregate_type
    and e.aggregate_id = try_append.aggregate_id
  order by e.version desc
  limit 1;
  select e.position, e.recorded_at into head_position, recorded_at
  from intent.events as e
  where e.tenant_id = try_append.tenant_id
  order by e.position desc
  limit 1;
  -- A tenant with events is there, and a stream with events has a proper name.
  if head_position is null then
    perform from intent.tenants as t where t.tenant_id = try_append.tenant_id;
    if not found then
      raise exception using errcode = 'IN404', message = 'there is no such tenant';
    end if;
  end if;
  if head_version is null then
    problem := intent.aggregate_problem(aggregate_type, aggregate_id);
    if problem is not null then
      raise exception using errcode = 'IN422', message = problem;
    end if;
  end if;
  head_version := coalesce(head_version, 0);
  head_position := coalesce(head_position, 0);
  if expected_version <> head_version then
    return row(null::bigint, null::bigint, null::bigint, null::bigint, false, head_version);
  end if;
  last_version := head_version + jsonb_array_length(events);
  last_position := head_position + jsonb_array_length(events);
  is_withheld := coalesce(recorded_at > clock_timestamp() - interval '1 second', false) and intent.withholds_hint(tenant_id, head_position, 1);
  -- One moment for the whole append, and none before the tenant's last: the server's clock may have been set back.
  recorded_at := greatest(clock_timestamp(), recorded_at);

  if jsonb_array_length(events) = 1 then
    problem := intent.event_problem(events -> 0);
    if problem is not null then
      raise exception using errcode = 'IN422', message = format('events[0] %s', problem);
    end if;
    insert into intent.events as e
      (tenant_id, position, aggregate_type, aggregate_id, version, type, schema_version, payload, metadata, recorded_at)
    values
      (tenant_id, last_position, aggregate_type, aggregate_id, last_version, events #>> '{0,type}',
       (events #>> '{0,schemaVersion}')::integer, events #> '{0,payload}',
       coalesce(events #> '{0,metadata}', '{}') - 'commandId' || command_metadata, recorded_at)
    returning jsonb_build_array(intent.event_as_json(e)) into recorded;
  else
    recorded := intent.record_events(tenant_id, aggregate_type, aggregate_id, head_version, head_position, recorded_at, events, command_metadata);
  end if;

  if command_id is not null then
    -- For broadcast_outcome.
    ignored := set_config('intent.hint_withheld', is_withheld::text, true);
    ignored := intent.settle_command(command, 'succeeded', jsonb_build_object(
      'aggregateType', aggregate_type, 'aggregateId', aggregate_id, 'firstVersion', head_version + 1, 'lastVersion', last_version,
      'firstPosition', head_position + 1, 'lastPosition', last_position
    ));
  end if;
  if not is_withheld then
    ignored := intent.send_realtime(
      intent.append_as_message(aggregate_type, aggregate_id, head_position + 1, last_position, recorded),
      'appended', 'tenant:' || tenant_id || ':events');
  end if;
  return row(head_version + 1, last_version, head_position + 1, last_position, false, null::bigint);
end
$$;
comment on function intent.try_append(uuid, text, text, bigint, jsonb, uuid) is 'Appends and settles, or returns the version that conflicts.';
--! EndIncluded log/try_append.sql
--! Included log/append_events.sql
-- The one way into the log. Appends events to a stream and settles their command, in one transaction. The worker calls it.
-- Raises IN001 wrong expected version (DETAIL: {"actualVersion": n}), IN404 unknown tenant or command, IN410 the command
-- has ended otherwise, IN422 malformed arguments.
create or replace function intent.append_events(
  tenant_id uuid,
  aggregate_type text,
  aggregate_id text,
  expected_version bigint,
  events jsonb,
  command_id uuid default null
) returns table (first_version bigint, last_version bigint, first_position bigint, last_position bigint, duplicate boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  ignored text := intent.enter_tenant(tenant_id);
  result intent.append_result;
begin
  result := intent.try_append(tenant_id, aggregate_type, aggregate_id, expected_version, events, command_id);
  if result.conflicting_version is not null then
    perform intent.raise_conflict(expected_version, result.conflicting_version);
  end if;
  first_version := result.first_version;
  last_version := result.last_version;
  first_position := result.first_position;
  last_position := result.last_position;
  duplicate := result.duplicate;
  return next;
end
$$;
comment on function intent.append_events(uuid, text, text, bigint, jsonb, uuid) is
  'Appends events to a stream, numbers them, and settles their command, in one transaction. expected_version: null any, 0 new. '
  'Definer: the worker has no table privileges.';
grant execute on function intent.append_events(uuid, text, text, bigint, jsonb, uuid) to intent_worker;
--! EndIncluded log/append_events.sql
--! Included log/append_or_catch_up.sql
-- append_events for the worker: if the stream has moved on it raises nothing, and answers with the events that the
-- worker has missed, so that it decides again without another read: the first max_missed, of 1 MiB at most (null, as workers of 0.1
-- ask: all), with the stream's version. Raises IN404, IN410, IN422.
create or replace function intent.append_or_catch_up(
  tenant_id uuid, aggregate_type text, aggregate_id text, expected_version bigint, events jsonb, command_id uuid,
  max_missed integer default null
) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  ignored text := intent.enter_tenant(tenant_id);
  result intent.append_result;
  stream jsonb;
begin
  result := intent.try_append(tenant_id, aggregate_type, aggregate_id, expected_version, events, command_id);
  if result.conflicting_version is null then
    return jsonb_build_object('lastVersion', result.last_version, 'duplicate', result.duplicate);
  end if;
  stream := intent.read_stream(tenant_id, aggregate_type, aggregate_id, null,
    expected_version, max_missed, case when max_missed is not null then 1048576 end);
  return jsonb_build_object('missed', stream -> 'events', 'version', stream -> 'version');
end
$$;
comment on function intent.append_or_catch_up(uuid, text, text, bigint, jsonb, uuid, integer) is
  'Appends as append_events does; on a conflict returns { missed: [events], version } instead of raising. '
  'Definer: the worker has no table privileges.';
grant execute on function intent.append_or_catch_up(uuid, text, text, bigint, jsonb, uuid, integer) to intent_worker;
--! EndIncluded log/append_or_catch_up.sql
--! Included log/read_stream.sql
-- A stream as { version, snapshot, events }, of one moment: STABLE, so all statements share their caller's database snapshot.
-- load_aggregate, load_command and api.hydrate return it; the caller's policies decide what it sees.
-- state_version null: any snapshot will do. A snapshot ahead of its stream is never used.
-- The events are the first after the snapshot, or after after_version, which then stands for it: at most max_events, of max_bytes at
-- most, but one at least. More follow if the last one's version is not the stream's. A log only grows: a later page fits to the first.
-- Several statements, so that the planner knows a range of versions: in one with sub-selects it reads a long stream from its
-- beginning, snapshot or not (docs/benchmarks.md, growth).
create or replace function intent.read_stream(
  of_tenant uuid, of_type text, of_id text, of_state_version integer,
  after_version bigint default null, max_events integer default null, max_bytes integer default null
) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
-- One plan, by look-ups: see load_batch. A plan for these very versions looks cheaper, so they would be planned anew each time.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  head_version bigint;
  snapshot_version bigint;
  snapshot jsonb;
  first_unkept bigint;
begin
  select e.version into head_version
  from intent.events as e
  where e.tenant_id = of_tenant and e.aggregate_type = of_type and e.aggregate_id = of_id
  order by e.version desc
  limit 1;

  if after_version is null then
    select s.version, jsonb_build_object('version', s.version, 'stateVersion', s.state_version, 'state', s.state)
    into snapshot_version, snapshot
    from intent.snapshots as s
    where s.tenant_id = of_tenant and s.aggregate_type = of_type and s.aggregate_id = of_id
      and (of_state_version is null or s.state_version = of_state_version) and s.version <= head_version;
  end if;

  -- A variable: under the policies an expression would only filter, and a long stream be read from its beginning.
  first_unkept := coalesce(after_version, snapshot_version, 0) + 1;
  return jsonb_build_object(
    'version', coalesce(head_version, 0),
    'snapshot', snapshot,
    'events', coalesce(intent.cut_page((
      select jsonb_agg(next.event order by next.version)
      from (
        select e.version, intent.event_as_json(e) as event
        from intent.events as e
        where e.tenant_id = of_tenant and e.aggregate_type = of_type and e.aggregate_id = of_id
          and e.version between first_unkept and head_version
        order by e.version
        limit max_events
      ) as next
    ), max_bytes), '[]')
  );
end
$$;
comment on function intent.read_stream(uuid, text, text, integer, bigint, integer, integer) is
  'A stream, or a page of it, as jsonb { version, snapshot, events }, as the caller may see it.';
--! EndIncluded log/read_stream.sql
--! Included log/head_position.sql
-- The tenant's newest position, 0 if it has none, as the caller may see it.
create or replace function intent.head_position(of_tenant uuid) returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select e.position from intent.events as e where e.tenant_id = of_tenant order by e.position desc limit 1
  ), 0);
end
$$;
comment on function intent.head_position(uuid) is 'A tenant''s newest position; 0 if it has none.';
--! EndIncluded log/head_position.sql
--! Included log/read_member_stream.sql
-- api.hydrate's definer: looks the membership up once, then reads as the owner, whom the policies keep to the tenant that it has
-- entered. As the member, each of the four look-ups would ask for the membership again, which was half of the call's time.
-- Raises IN413.
create or replace function intent.read_member_stream(
  aggregate_type text, aggregate_id text, state_version integer, after_version bigint, max_events integer
) returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid := (intent.claimed_membership()).tenant_id;
  stream jsonb;
begin
  perform intent.enter_tenant(tenant);
  -- STABLE: all reads are of the calling statement's snapshot.
  stream := intent.read_stream(tenant, aggregate_type, aggregate_id, state_version, after_version,
    case when max_events is null then 10000 else least(greatest(max_events, 1), 1000) end,
    case when max_events is null then 4194304 else 1048576 end);
  if max_events is null and coalesce(after_version < (stream ->> 'version')::bigint, true) then
    stream := intent.check_whole(stream, 'Read it in pages, with max_events and after_version; a page that was loaded long ago has to be loaded anew.');
  end if;
  return stream || jsonb_build_object('position', intent.head_position(tenant));
end
$$;
comment on function intent.read_member_stream(text, text, integer, bigint, integer) is
  'A stream and the tenant''s position at that moment, for a member. Definer: so that the membership is looked up once.';
grant execute on function intent.read_member_stream(text, text, integer, bigint, integer) to authenticated;
--! EndIncluded log/read_member_stream.sql
--! Included log/read_member_feed.sql
-- api.read_feed's definer: looks the membership up once, as read_member_stream does.
create or replace function intent.read_member_feed(after_position bigint, max_events integer) returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid := (intent.claimed_membership()).tenant_id;
begin
  perform intent.enter_tenant(tenant);
  return (
    with page as (
      select e.position, intent.event_as_json(e) as event
      from intent.events as e
      where e.tenant_id = tenant and e.position > coalesce(after_position, 0)
      order by e.position
      limit least(greatest(coalesce(max_events, 500), 1), 1000)
    )
    select jsonb_build_object(
      'events', coalesce(jsonb_agg(page.event order by page.position), '[]'),
      'lastPosition', coalesce(max(page.position), after_position, 0),
      'headPosition', intent.head_position(tenant)
    )
    from page
  );
end
$$;
comment on function intent.read_member_feed(bigint, integer) is
  'The tenant''s events after a position, for a member. Definer: so that the membership is looked up once.';
grant execute on function intent.read_member_feed(bigint, integer) to authenticated;
--! EndIncluded log/read_member_feed.sql
--! Included log/load_aggregate.sql
-- A snapshot, if one of this state version is there, and the events after it, in one round trip. Always all of them: raises IN413 if
-- they are more than 10,000, or 4 MiB.
create or replace function intent.load_aggregate(tenant_id uuid, aggregate_type text, aggregate_id text, state_version integer)
returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.enter_tenant(load_aggregate.tenant_id);
  return intent.check_whole(
    intent.read_stream(load_aggregate.tenant_id, load_aggregate.aggregate_type, load_aggregate.aggregate_id,
      coalesce(load_aggregate.state_version, 0), max_events => 10000, max_bytes => 4194304),
    'Read it in pages, with intent.load_events.');
end
$$;
comment on function intent.load_aggregate(uuid, text, text, integer) is
  'jsonb { version, snapshot, events }: a matching snapshot and the events after it. '
  'Definer: the worker has no table privileges.';
grant execute on function intent.load_aggregate(uuid, text, text, integer) to intent_worker;
--! EndIncluded log/load_aggregate.sql
--! Included log/load_events.sql
-- The next page of a stream: its version, and its first events after one, at most 1,000 (max_events) and 1 MiB, but one at least. The
-- worker calls it for a stream that load_command, load_aggregate or append_or_catch_up does not hand out whole.
create or replace function intent.load_events(
  tenant_id uuid, aggregate_type text, aggregate_id text, after_version bigint, max_events integer default 1000
) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.enter_tenant(load_events.tenant_id);
  return intent.read_stream(load_events.tenant_id, load_events.aggregate_type, load_events.aggregate_id, null,
    coalesce(load_events.after_version, 0), least(greatest(coalesce(load_events.max_events, 1000), 1), 1000), 1048576) - 'snapshot';
end
$$;
comment on function intent.load_events(uuid, text, text, bigint, integer) is
  'jsonb { version, events }: a stream''s version, and a page of its events. Definer: the worker has no table privileges.';
grant execute on function intent.load_events(uuid, text, text, bigint, integer) to intent_worker;
--! EndIncluded log/load_events.sql
--! Included log/save_snapshot.sql
-- Caches the state of a stream at a version. The worker calls it after an append, outside the command's way.
-- An older snapshot of the same state version never replaces a newer one. Raises IN422 if the version is ahead of the stream.
create or replace function intent.save_snapshot(
  tenant_id uuid, aggregate_type text, aggregate_id text, version bigint, state_version integer, state jsonb
) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.enter_tenant(save_snapshot.tenant_id);
  if not exists (
    select from intent.events as e
    where e.tenant_id = save_snapshot.tenant_id and e.aggregate_type = save_snapshot.aggregate_type
      and e.aggregate_id = save_snapshot.aggregate_id and e.version = save_snapshot.version
  ) then
    raise exception using errcode = 'IN422', message = format('the stream has no version %s to take a snapshot of', save_snapshot.version);
  end if;

  insert into intent.snapshots as s (tenant_id, aggregate_type, aggregate_id, version, state_version, state)
  values (save_snapshot.tenant_id, save_snapshot.aggregate_type, save_snapshot.aggregate_id, save_snapshot.version,
    save_snapshot.state_version, save_snapshot.state)
  on conflict (tenant_id, aggregate_type, aggregate_id) do update
    set version = excluded.version, state_version = excluded.state_version, state = excluded.state, taken_at = clock_timestamp()
    where s.state_version <> excluded.state_version or s.version < excluded.version;
end
$$;
comment on function intent.save_snapshot(uuid, text, text, bigint, integer, jsonb) is
  'Caches the state of a stream at a version. Definer: the worker has no table privileges.';
grant execute on function intent.save_snapshot(uuid, text, text, bigint, integer, jsonb) to intent_worker;
--! EndIncluded log/save_snapshot.sql

-- The command queue.
--! Included queue/survives_double.sql
-- Whether a number is the same after it was read as a double and written again, as every reader in JavaScript does: jsonb keeps it
-- exactly, and they do not. Its value must be that of the shortest decimal that names the nearest double. The function that takes
-- commands holds the text to the same rule (supabase/functions/command/numbers.ts).
create or replace function intent.survives_double(number numeric) returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
set extra_float_digits = 1
as $$
declare
  shortest numeric;
begin
  if survives_double.number = 0 then
    return true;
  end if;
  -- The smallest and the greatest double: beyond them a cast would fail.
  if abs(survives_double.number) not between 5e-324 and 1.7976931348623157e308 then
    return false;
  end if;
  shortest := survives_double.number::float8::text::numeric;
  -- PostgreSQL writes a digit more than JavaScript if the shorter decimal lies halfway to the next double: then this one is it.
  return survives_double.number = shortest
    or length(trim('0' from replace(abs(survives_double.number)::text, '.', ''))) < length(trim('0' from replace(abs(shortest)::text, '.', '')));
end
$$;
comment on function intent.survives_double(numeric) is 'Whether a number is the same after it was read as a double and written again.';
--! EndIncluded queue/survives_double.sql
--! Included queue/lossy_number.sql
-- The path, a JSON pointer, of a number in a payload that would not survive its readers in JavaScript; null if there is none.
create or replace function intent.lossy_number(payload jsonb) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    with recursive node (path, value) as (
      select '', lossy_number.payload
      union all
      select node.path || '/' || replace(replace(child.key, '~', '~0'), '/', '~1'), child.value
      from node
      cross join lateral (
        select member.key, member.value
        from jsonb_each(case jsonb_typeof(node.value) when 'object' then node.value else '{}' end) as member
        union all
        select (element.number - 1)::text, element.value
        from jsonb_array_elements(case jsonb_typeof(node.value) when 'array' then node.value else '[]' end) with ordinality as element (value, number)
      ) as child
    )
    select node.path
    from node
    where jsonb_typeof(node.value) = 'number' and not intent.survives_double((node.value #>> '{}')::numeric)
    limit 1
  );
end
$$;
comment on function intent.lossy_number(jsonb) is 'The path of a number in a payload that would not survive its readers in JavaScript; or null.';
--! EndIncluded queue/lossy_number.sql
--! Included queue/check_submission.sql
-- Refuses what no command may be (IN422); what a payload must hold beyond that, the worker checks against its schema.
-- Returns the command's type as the registry knows it. Called by submit_member_command and submit_system_command.
create or replace function intent.check_submission(
  command_id uuid, type text, aggregate_type text, aggregate_id text, payload jsonb,
  expected_version bigint, execute_at timestamptz, schema_version integer, traceparent text
) returns intent.message_types
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  known intent.message_types;
  problem text;
  payload_text text := check_submission.payload::text;
begin
  select m.* into known from intent.message_types as m where m.type = check_submission.type;
  problem := case
    when check_submission.command_id is null then 'command_id is missing'
    when known is null then format('there is no command of type %s', coalesce(quote_literal(left(check_submission.type, 100)), 'null'))
    when check_submission.aggregate_type is distinct from known.aggregate_type
      then format('%s is a command of the aggregate type %s', known.type, known.aggregate_type)
    when coalesce(check_submission.aggregate_id !~ known.aggregate_id_pattern or length(check_submission.aggregate_id) > 128, true)
      then format('aggregate_id is not the id of a(n) %s: it must match %s', known.aggregate_type, known.aggregate_id_pattern)
    when jsonb_typeof(check_submission.payload) is distinct from 'object' then 'payload must be a JSON object'
    when octet_length(payload_text) > 262144 then 'payload is over 256 KiB'
    when jsonb_path_exists(check_submission.payload, '$.**{32 to last}') then 'payload is nested more than 32 levels deep'
    -- A double has room for every integer of 15 digits: most payloads have nothing else, and are not looked at further.
    when payload_text ~ '[0-9]{16}|[0-9]\.[0-9]' and intent.lossy_number(check_submission.payload) is not null
      then format('payload%s is a number that is not the same as a double', intent.lossy_number(check_submission.payload))
    when check_submission.expected_version < 0 then 'expected_version must be 0 or more'
    when coalesce(check_submission.schema_version not between 1 and known.schema_version, true)
      then format('schema_version must be from 1 to %s', known.schema_version)
    when not isfinite(check_submission.execute_at) or check_submission.execute_at > clock_timestamp() + interval '1 year'
      then 'execute_at must be a time at most a year ahead'
    when length(check_submission.traceparent) > 100 then 'traceparent is not a trace context'
  end;
  if problem is not null then
    raise exception using errcode = 'IN422', message = problem;
  end if;
  return known;
end
$$;
comment on function intent.check_submission(uuid, text, text, text, jsonb, bigint, timestamptz, integer, text) is
  'Refuses a malformed command (IN422); answers with its registered type.';
--! EndIncluded queue/check_submission.sql
--! Included queue/count_submission.sql
-- Counts a submission against its tenant's rate and its user's: null if there is none. The rows are in PostgreSQL, so the limit
-- holds however many instances of the Edge Function there are, and past them. Raises IN429; the exception undoes the count.
create or replace function intent.count_submission(of_tenant uuid, of_user uuid, in_all integer, per_user integer) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  everybody constant uuid := '00000000-0000-0000-0000-000000000000';
  over_limit record;
begin
  with counted as (
    insert into intent.submission_counts as c (tenant_id, user_id, counted_second, submissions)
    -- The tenant's row first, always: anyone who waits for it holds no other.
    select of_tenant, counter.user_id, date_trunc('second', clock_timestamp()), 1
    from (values (everybody, in_all), (of_user, per_user)) as counter (user_id, allowed)
    where counter.allowed is not null
    on conflict (tenant_id, user_id) do update
      -- The second is read under the row's lock: with that of before the wait, one that waited would begin a second anew that has passed.
      set (counted_second, submissions) = (
        select this_second, case when c.counted_second = this_second then c.submissions + 1 else 1 end
        from (select date_trunc('second', clock_timestamp()) as this_second) as now
      )
    returning c.user_id, c.submissions
  )
  select case when counted.user_id = everybody then 'tenant' else 'user' end as of_whom,
    case when counted.user_id = everybody then in_all else per_user end as a_second
  into over_limit
  from counted
  where counted.submissions > case when counted.user_id = everybody then in_all else per_user end
  limit 1;
  if found then
    raise exception using
      errcode = 'IN429',
      message = format('this %s may submit %s commands a second', over_limit.of_whom, over_limit.a_second),
      detail = jsonb_build_object('limit', over_limit.of_whom, 'retryAfterSeconds', 1),
      hint = 'Send it again, with the same id, after a second.';
  end if;
end
$$;
comment on function intent.count_submission(uuid, uuid, integer, integer) is 'Refuses a submission over its tenant''s or its user''s rate (IN429).';
--! EndIncluded queue/count_submission.sql
--! Included queue/insert_command.sql
-- Inserts a command once. The same id with the same sender and content returns the first one's status; anything else
-- under that id raises IN409, which says nothing of the first. The hash covers every field but traceparent, and the user; whether
-- the system sent it, and for what, is compared besides.
-- Its arguments are columns of intent.commands, one by one: to build and take apart a row would cost more than to pass them.
create or replace function intent.insert_command(
  tenant_id uuid, command_id uuid, type text, aggregate_type text, aggregate_id text, payload jsonb, schema_version integer,
  actor_role text, actor_user_id uuid default null, expected_version bigint default null, correlation_id uuid default null,
  causation_id uuid default null, execute_at timestamptz default null, traceparent text default null,
  process text default null, process_key text default null, cause text default null
) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- As in load_batch: a plan that was made while the queue was empty would read all of it.
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  hash bytea := sha256(convert_to(jsonb_build_array(
    actor_user_id, type, aggregate_type, aggregate_id, schema_version, payload, expected_version, correlation_id, causation_id,
    extract(epoch from execute_at)
  )::text, 'utf8'));
  first record;
  ignored text;
begin
  select c.command_id, c.request_hash, c.process, c.cause, c.status, c.outcome, t.commands_per_second, t.commands_per_second_per_user into first
  from intent.tenants as t
  left join intent.commands as c on c.tenant_id = t.tenant_id and c.command_id = insert_command.command_id
  where t.tenant_id = insert_command.tenant_id;

  if first.command_id is null then
    -- A rate is for people: what the system has begun, it must be able to finish.
    if actor_user_id is not null and (first.commands_per_second is not null or first.commands_per_second_per_user is not null) then
      ignored := intent.count_submission(tenant_id, actor_user_id, first.commands_per_second, first.commands_per_second_per_user);
    end if;
    insert into intent.commands
      (tenant_id, command_id, aggregate_type, aggregate_id, type, schema_version, payload, actor_user_id, actor_role,
       correlation_id, causation_id, expected_version, execute_at, request_hash, traceparent, process, process_key,
       cause)
    values
      (insert_command.tenant_id, insert_command.command_id, insert_command.aggregate_type, insert_command.aggregate_id,
       insert_command.type, insert_command.schema_version, insert_command.payload, insert_command.actor_user_id,
       insert_command.actor_role, coalesce(insert_command.correlation_id, insert_command.command_id), insert_command.causation_id,
       insert_command.expected_version, insert_command.execute_at, hash, insert_command.traceparent, insert_command.process,
       insert_command.process_key, insert_command.cause)
    on conflict (tenant_id, command_id) do nothing;
    if found then
      return intent.command_answer(command_id, 'pending', null, duplicate => false);
    end if;
    -- Another transaction was faster, and has committed: the conflict waited for it.
    select c.command_id, c.request_hash, c.process, c.cause, c.status, c.outcome into first
    from intent.commands as c
    where c.tenant_id = insert_command.tenant_id and c.command_id = insert_command.command_id;
  end if;

  if first.request_hash <> hash or first.process is distinct from insert_command.process
    or first.cause is distinct from insert_command.cause then
    raise exception using
      errcode = 'IN409',
      message = 'this command id is in use for another command',
      hint = 'Use a new id for a new command, and the same content when you send one again.';
  end if;
  return intent.command_answer(command_id, first.status, first.outcome, duplicate => true);
end
$$;
comment on function intent.insert_command(
  uuid, uuid, text, text, text, jsonb, integer, text, uuid, bigint, uuid, uuid, timestamptz, text, text, text, text
) is 'Inserts a command once: command_answer''s JSON. A reused id with other content raises IN409.';
--! EndIncluded queue/insert_command.sql
--! Included queue/submit_member_command.sql
-- api.submit_command's definer: tenant, actor and role come from the verified claims and the membership, never from an
-- argument, and `authenticated` needs no INSERT on commands.
-- Raises IN403 no membership, one that this token may not use, or a type that only the system sends, IN409, IN422, IN429.
create or replace function intent.submit_member_command(
  command_id uuid, type text, aggregate_type text, aggregate_id text, payload jsonb, expected_version bigint,
  correlation_id uuid, causation_id uuid, execute_at timestamptz, schema_version integer, traceparent text
) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  member intent.memberships := intent.claimed_membership();
  known intent.message_types;
  ignored text;
begin
  if member.tenant_id is null then
    ignored := intent.refuse_entry(intent.claimed_refusal());
  end if;
  -- An assignment: see send_realtime.
  ignored := intent.enter_tenant(member.tenant_id);
  known := intent.check_submission(
    command_id, type, aggregate_type, aggregate_id, payload, expected_version, execute_at, schema_version, traceparent);
  if not (known.sent_by && array['owner', 'member', 'guest']) then
    raise exception using errcode = 'IN403', message = format('%s is sent by the system only', known.type);
  end if;

  return intent.insert_command(
    member.tenant_id, command_id, type, aggregate_type, aggregate_id, payload, schema_version, member.role, member.user_id,
    expected_version, correlation_id, causation_id, execute_at, traceparent);
end
$$;
comment on function intent.submit_member_command(uuid, text, text, text, jsonb, bigint, uuid, uuid, timestamptz, integer, text) is
  'Submits a command as the signed-in member. Definer: people have no privilege to insert commands.';
grant execute on function intent.submit_member_command(uuid, text, text, text, jsonb, bigint, uuid, uuid, timestamptz, integer, text)
  to authenticated;
--! EndIncluded queue/submit_member_command.sql
--! Included queue/submit_system_command.sql
-- Submits a command as the system: for process managers (worker) and operators, for any type of the registry.
-- Raises IN404 unknown tenant, IN409, IN422.
create or replace function intent.submit_system_command(
  tenant_id uuid, command_id uuid, type text, aggregate_type text, aggregate_id text, payload jsonb,
  correlation_id uuid, causation_id uuid, execute_at timestamptz default null
) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  known intent.message_types;
  answer jsonb;
begin
  perform intent.enter_tenant(submit_system_command.tenant_id);
  if not exists (select from intent.tenants as t where t.tenant_id = submit_system_command.tenant_id) then
    raise exception using errcode = 'IN404', message = 'there is no such tenant';
  end if;
  select m.* into known from intent.message_types as m where m.type = submit_system_command.type;
  known := intent.check_submission(command_id, type, aggregate_type, aggregate_id, payload, null, execute_at, known.schema_version, null);

  answer := intent.insert_command(
    tenant_id, command_id, type, aggregate_type, aggregate_id, payload, known.schema_version, 'system',
    correlation_id => correlation_id, causation_id => causation_id, execute_at => execute_at);
  if pg_has_role(session_user, 'intent_operator', 'member') then
    perform intent.log_operator('submit_system_command', tenant_id, jsonb_build_object('commandId', command_id, 'type', type));
  end if;
  return answer;
end
$$;
comment on function intent.submit_system_command(uuid, uuid, text, text, text, jsonb, uuid, uuid, timestamptz) is
  'Submits a command as the system. Definer: worker and operator have no table privileges.';
grant execute on function intent.submit_system_command(uuid, uuid, text, text, text, jsonb, uuid, uuid, timestamptz)
  to intent_worker, intent_operator;
--! EndIncluded queue/submit_system_command.sql
--! Included queue/role_when_due.sql
-- The role with which a command acts that its sender has put off by execute_at: as for a schedule's, the one that the sender has when it
-- is due, and null if it is no member any more. Else one who is removed, or an owner no longer, would act for up to a year.
create or replace function intent.role_when_due(command intent.commands) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select m.role
    from intent.memberships as m
    where m.tenant_id = command.tenant_id and m.user_id = command.actor_user_id and m.status = 'active'
  );
end
$$;
comment on function intent.role_when_due(intent.commands) is 'The role that a person who put a command off has now; null: none.';
--! EndIncluded queue/role_when_due.sql
--! Included queue/command_to_decide.sql
-- What a decision needs of a command. Small enough for the planner to inline.
create or replace function intent.command_to_decide(command intent.commands) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'commandId', command.command_id,
    'status', command.status,
    'type', command.type,
    'schemaVersion', command.schema_version,
    'aggregateType', command.aggregate_type,
    'aggregateId', command.aggregate_id,
    'payload', command.payload,
    'actor', jsonb_build_object('userId', command.actor_user_id, 'role', case
      when command.execute_at > command.submitted_at and command.actor_user_id is not null then intent.role_when_due(command)
      else command.actor_role
    end),
    'expectedVersion', command.expected_version,
    'traceparent', command.traceparent,
    'dueMsAgo', extract(epoch from statement_timestamp() - command.due_at) * 1000,
    'dispatchedMsAgo', extract(epoch from statement_timestamp() - command.dispatched_at) * 1000
  );
$$;
comment on function intent.command_to_decide(intent.commands) is 'What a decision needs of a command, as JSON.';
--! EndIncluded queue/command_to_decide.sql
--! Included queue/load_command.sql
-- A command and its aggregate, in one round trip: all that a decision needs. The worker calls it.
-- state_versions: { "<aggregate type>": n }. Null if there is no such command. Of a long stream only the first max_events, of 1 MiB at
-- most; load_events has the others. Null, as workers of 0.1 ask: all of them.
create or replace function intent.load_command(tenant_id uuid, command_id uuid, state_versions jsonb, max_events integer default null)
returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.enter_tenant(load_command.tenant_id);
  return (
    select intent.command_to_decide(c) || jsonb_build_object(
      'stream', intent.read_stream(c.tenant_id, c.aggregate_type, c.aggregate_id,
        coalesce((load_command.state_versions ->> c.aggregate_type)::integer, 0),
        max_events => load_command.max_events, max_bytes => case when load_command.max_events is not null then 1048576 end)
    )
    from intent.commands as c
    where c.tenant_id = load_command.tenant_id and c.command_id = load_command.command_id
  );
end
$$;
comment on function intent.load_command(uuid, uuid, jsonb, integer) is
  'A command and its aggregate''s stream, in one round trip. Definer: the worker has no table privileges.';
grant execute on function intent.load_command(uuid, uuid, jsonb, integer) to intent_worker;
--! EndIncluded queue/load_command.sql
--! Included queue/load_batch.sql
-- Claimed commands of one tenant with their aggregates, in one round trip: all that the decisions of an engine need which runs
-- many at once. With each come those that wait behind it, in their order: nobody else can claim them while it is in flight.
-- state_versions: { "<aggregate type>": n }. A stream is as read_stream returns it, but all of them come by one statement. One of
-- more than 1,000 events after its snapshot, or 1 MiB, is left out: its commands are executed one by one, on pages of it.
create or replace function intent.load_batch(tenant_id uuid, command_ids uuid[], max_followers integer, state_versions jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
-- One plan, or it would be planned anew for each batch, which takes longer than the batch; and by look-ups, even if it is made
-- while the tables are still empty.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  moment timestamptz := clock_timestamp();
  ignored text := intent.enter_tenant(load_batch.tenant_id);
begin
  return (
    with aggregate as (
      select distinct c.aggregate_type, c.aggregate_id
      from intent.commands as c
      where c.tenant_id = load_batch.tenant_id and c.command_id = any (load_batch.command_ids)
    )
    select coalesce(jsonb_agg(jsonb_build_object(
      'aggregateType', aggregate.aggregate_type,
      'aggregateId', aggregate.aggregate_id,
      'stream', jsonb_build_object('version', coalesce(head.version, 0), 'snapshot', kept.snapshot, 'events', coalesce(tail.events, '[]')),
      'commands', waiting.commands
    )), '[]')
    from aggregate
    left join lateral (
      select e.version
      from intent.events as e
      where e.tenant_id = load_batch.tenant_id and e.aggregate_type = aggregate.aggregate_type and e.aggregate_id = aggregate.aggregate_id
      order by e.version desc
      limit 1
    ) as head on true
    left join lateral (
      select s.version, jsonb_build_object('version', s.version, 'stateVersion', s.state_version, 'state', s.state) as snapshot
      from intent.snapshots as s
      where s.tenant_id = load_batch.tenant_id and s.aggregate_type = aggregate.aggregate_type and s.aggregate_id = aggregate.aggregate_id
        and s.state_version = coalesce((load_batch.state_versions ->> aggregate.aggregate_type)::integer, 0) and s.version <= head.version
      limit 1
    ) as kept on true
    -- A column of its own: under the policy an expression would only filter, and a long stream be read from its beginning.
    cross join lateral (select coalesce(kept.version, 0) + 1 as first_version limit 1) as unkept
    left join lateral (
      select jsonb_agg(intent.event_as_json(e) order by e.version) as events
      from intent.events as e
      where e.tenant_id = load_batch.tenant_id and e.aggregate_type = aggregate.aggregate_type and e.aggregate_id = aggregate.aggregate_id
        and e.version between unkept.first_version and head.version
        and head.version - unkept.first_version < 1000
    ) as tail on true
    cross join lateral (
      select coalesce(jsonb_agg(intent.command_to_decide(next) order by next.due_at, next.command_id), '[]') as commands
      from (
        select c.*
        from intent.commands as c
        where c.tenant_id = load_batch.tenant_id and c.aggregate_type = aggregate.aggregate_type
          and c.aggregate_id = aggregate.aggregate_id and c.status in ('pending', 'dispatched')
          and (c.command_id = any (load_batch.command_ids) or (c.claimed_by is null and c.due_at <= moment))
        order by c.due_at, c.command_id
        limit load_batch.max_followers + 1
      ) as next
    ) as waiting
    where coalesce(head.version - unkept.first_version < 1000, true) and coalesce(pg_column_size(tail.events) <= 1048576, true)
  );
end
$$;
comment on function intent.load_batch(uuid, uuid[], integer, jsonb) is
  'Commands of one tenant, those that wait behind them, and their streams. Definer: the worker has no table privileges.';
grant execute on function intent.load_batch(uuid, uuid[], integer, jsonb) to intent_worker;
--! EndIncluded queue/load_batch.sql
--! Included queue/mark_dispatched.sql
-- Records that a claimed command's execution has been started. The pump calls it.
-- False if there is nothing to mark: the command has ended already, or the claim has passed to another pump, or one of both is about
-- to commit. A mark does not wait for that: the others of its batch would wait with it, until their leases have ended.
-- Pending is what has neither time: by the status, a planner that knows the queue as empty would look through all that is open.
create or replace function intent.mark_dispatched(tenant_id uuid, command_id uuid, fencing_token bigint) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.enter_tenant(mark_dispatched.tenant_id);
  update intent.commands as c
  set status = 'dispatched', dispatched_at = clock_timestamp()
  from (
    select true
    from intent.commands as locked
    where locked.tenant_id = mark_dispatched.tenant_id and locked.command_id = mark_dispatched.command_id
      and locked.fencing_token = mark_dispatched.fencing_token and locked.claimed_by is not null
      and locked.dispatched_at is null and locked.completed_at is null
    for update skip locked
  ) as free
  where c.tenant_id = mark_dispatched.tenant_id and c.command_id = mark_dispatched.command_id;
  return found;
end
$$;
comment on function intent.mark_dispatched(uuid, uuid, bigint) is
  'Records that a claimed command''s execution has been started. Definer: the pump has no table privileges.';
grant execute on function intent.mark_dispatched(uuid, uuid, bigint) to intent_pump;
--! EndIncluded queue/mark_dispatched.sql
--! Included queue/release_command.sql
-- Gives a claim back unused, so that another pump, or this one later, may take it before the lease ends. The pump calls it
-- when an execution could not be started, and when it shuts down. False if the claim is not the caller's any more, or
-- somebody is about to settle the command: a release does not wait for that, and the lease ends by itself.
-- Pending by its times, as in mark_dispatched.
create or replace function intent.release_command(tenant_id uuid, command_id uuid, fencing_token bigint) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.enter_tenant(release_command.tenant_id);
  update intent.commands as c
  set claimed_by = null, claimed_until = null, attempts = c.attempts - 1
  from (
    select true
    from intent.commands as locked
    where locked.tenant_id = release_command.tenant_id and locked.command_id = release_command.command_id
      and locked.fencing_token = release_command.fencing_token and locked.claimed_by is not null
      and locked.dispatched_at is null and locked.completed_at is null
    for update skip locked
  ) as free
  where c.tenant_id = release_command.tenant_id and c.command_id = release_command.command_id;
  return found;
end
$$;
comment on function intent.release_command(uuid, uuid, bigint) is
  'Gives a claim back unused. Definer: the pump has no table privileges.';
grant execute on function intent.release_command(uuid, uuid, bigint) to intent_pump;
--! EndIncluded queue/release_command.sql
--! Included queue/reject_command.sql
-- Settles a command with the domain's refusal. The same refusal again is silent. The worker calls it.
-- Raises IN404, IN410 if the command has ended otherwise, IN422.
create or replace function intent.reject_command(tenant_id uuid, command_id uuid, code text, message text, details jsonb)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  command intent.commands;
  outcome jsonb := jsonb_build_object('code', code, 'message', message, 'details', coalesce(details, '{}'));
begin
  perform intent.enter_tenant(reject_command.tenant_id);
  if coalesce(code !~ '^[A-Z][A-Z0-9_]*$', true) or message is null then
    raise exception using errcode = 'IN422', message = 'a rejection needs a code such as "NOT_ALLOWED" and a message';
  end if;
  command := intent.lock_command(reject_command.tenant_id, reject_command.command_id);
  if command.completed_at is null then
    perform intent.settle_command(command, 'rejected', outcome);
  elsif command.status <> 'rejected' or command.outcome <> outcome then
    perform intent.raise_settled(command);
  end if;
end
$$;
comment on function intent.reject_command(uuid, uuid, text, text, jsonb) is
  'Settles a command with a rejection. Definer: the worker has no table privileges.';
grant execute on function intent.reject_command(uuid, uuid, text, text, jsonb) to intent_worker;
--! EndIncluded queue/reject_command.sql
--! Included queue/fail_command.sql
-- Dead-letters a command: its faults outlasted every retry. An operator may retry_command. The worker calls it.
-- The client learns that it failed; the error itself is for the operator (intent.dead_letters). A repetition is silent.
-- Raises IN404, IN410 if the command has ended otherwise.
create or replace function intent.fail_command(tenant_id uuid, command_id uuid, error jsonb) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  command intent.commands;
begin
  perform intent.enter_tenant(fail_command.tenant_id);
  command := intent.lock_command(fail_command.tenant_id, fail_command.command_id);
  if command.completed_at is null then
    perform intent.settle_command(
      command,
      'failed',
      jsonb_build_object('code', 'FAILED', 'message', 'The command could not be executed. It is kept, so that an operator can have it executed after all.', 'details', '{}'::jsonb),
      coalesce(fail_command.error, '{}')
    );
  elsif command.status <> 'failed' then
    perform intent.raise_settled(command);
  end if;
end
$$;
comment on function intent.fail_command(uuid, uuid, jsonb) is
  'Dead-letters a command, for an operator to retry. Definer: the worker has no table privileges.';
grant execute on function intent.fail_command(uuid, uuid, jsonb) to intent_worker;
--! EndIncluded queue/fail_command.sql
--! Included queue/check_runs.sql
-- Refuses runs that settle_batch cannot take: IN404 a command that is not there, IN422 one of another aggregate, or an event or
-- rejection that is malformed. The message names the first.
create or replace function intent.check_runs(of_tenant uuid, runs jsonb) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  refused record;
begin
  if jsonb_typeof(runs) is distinct from 'array' then
    raise exception using errcode = 'IN422', message = 'runs must be an array';
  end if;
  select run.no - 1 as run, decision.no - 1 as decision, found.problem, found.code into refused
  from jsonb_array_elements(runs) with ordinality as run (run, no)
  cross join lateral jsonb_array_elements(run.run -> 'decisions') with ordinality as decision (decision, no)
  -- A look-up with a limit: the planner would rather read all commands of the tenant, for each run.
  left join lateral (
    select command.command_id, command.aggregate_type, command.aggregate_id
    from intent.commands as command
    where command.tenant_id = of_tenant and command.command_id = (decision.decision ->> 'commandId')::uuid
    limit 1
  ) as c on true
  cross join lateral (
    select case
      when c.command_id is null then 'there is no such command'
      when (c.aggregate_type, c.aggregate_id) <> (run.run ->> 'aggregateType', run.run ->> 'aggregateId')
        then 'the command belongs to another aggregate'
      when decision.decision ? 'events' then case
        when jsonb_typeof(decision.decision -> 'events') <> 'array' or jsonb_array_length(decision.decision -> 'events') not between 1 and 1000
          then 'events must be an array of 1 to 1,000 objects'
        else (
          select format('events[%s] %s', event.no - 1, intent.event_problem(event.event))
          from jsonb_array_elements(decision.decision -> 'events') with ordinality as event (event, no)
          where intent.event_problem(event.event) is not null
          limit 1
        ) end
      when coalesce(decision.decision #>> '{rejection,code}' !~ '^[A-Z][A-Z0-9_]*$', true) or decision.decision #> '{rejection,message}' is null
        then 'a rejection needs a code such as "NOT_ALLOWED" and a message'
    end as problem,
    case when c.command_id is null then 'IN404' else 'IN422' end as code
  ) as found
  where found.problem is not null
  limit 1;
  if found then
    raise exception using errcode = refused.code, message = format('runs[%s].decisions[%s]: %s', refused.run, refused.decision, refused.problem);
  end if;
end
$$;
comment on function intent.check_runs(uuid, jsonb) is 'Refuses runs that settle_batch cannot take (IN404, IN422).';
--! EndIncluded queue/check_runs.sql
--! Included queue/settle_alone.sql
-- Settles a run of one decision, which has events, as settle_batch would: in an append, which costs less if there is one only.
-- False if the stream has moved on or the command has ended. Raises IN404, IN422.
create or replace function intent.settle_alone(tenant_id uuid, run jsonb) returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  command_id uuid := run #>> '{decisions,0,commandId}';
  command intent.commands := intent.lock_command(tenant_id, command_id);
  result intent.append_result;
begin
  if command.completed_at is not null then
    return false;
  end if;
  result := intent.try_append(tenant_id, run ->> 'aggregateType', run ->> 'aggregateId', (run ->> 'expectedVersion')::bigint,
    run #> '{decisions,0,events}', command_id);
  return result.conflicting_version is null;
end
$$;
comment on function intent.settle_alone(uuid, jsonb) is 'Settles a run of one decision that has events, by an append.';
--! EndIncluded queue/settle_alone.sql
--! Included queue/settle_batch.sql
-- Settles many commands of one tenant in one transaction: each run is of one aggregate, in the order of its decisions, which were
-- made on expectedVersion. A run is settled whole, or not at all: if its stream has moved on, or one of its commands has
-- ended. Returns for each run whether it was. Gives what appends and rejections one by one would give, but that members are told of a
-- run's events in one message.
-- runs: [{ aggregateType, aggregateId, expectedVersion, decisions: [{ commandId, events } or { commandId, rejection: { code,
-- message, details } }] }]. Raises IN404, IN422; then nothing is settled.
--
-- By sets, not decision by decision: what an append costs is starting statements more than what they do. One command alone is
-- cheaper as an append.
create or replace function intent.settle_batch(tenant_id uuid, runs jsonb) returns boolean[]
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
-- As in load_batch.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_variable
declare
  ids uuid[];
  ended uuid[];
  head_position bigint;
  recorded_at timestamptz;
  is_withheld boolean;
  settled boolean[];
  message record;
  ignored text;
begin
  perform intent.enter_tenant(tenant_id);
  if jsonb_path_exists(runs, 'strict $ ? (@.size() == 1 && @[0].decisions.size() == 1 && exists(@[0].decisions[0].events))', silent => true) then
    return array[intent.settle_alone(tenant_id, runs -> 0)];
  end if;
  perform intent.check_runs(tenant_id, runs);
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = 'IN422', message = 'an append needs a transaction at the level read committed';
  end if;
  -- All of them in one order, and before the tenant's lock, as every append takes them.
  ids := array(select (id #>> '{}')::uuid from jsonb_path_query(runs, '$[*].decisions[*].commandId') as id);
  ended := array(
    select locked.command_id
    from (
      select c.command_id, c.completed_at
      from intent.commands as c
      where c.tenant_id = settle_batch.tenant_id and c.command_id = any (ids)
      order by c.command_id
      for update
    ) as locked
    where locked.completed_at is not null
  );
  perform pg_advisory_xact_lock(hashtextextended(tenant_id::text, 0));
  -- From here on each statement's snapshot sees what the lock's last holder has committed.
  settled := array(
    select coalesce(head.version, 0) = (run.run ->> 'expectedVersion')::bigint and not exists (
      select
      from jsonb_array_elements(run.run -> 'decisions') as decision
      where (decision ->> 'commandId')::uuid = any (ended)
    )
    from jsonb_array_elements(runs) with ordinality as run (run, no)
    left join lateral (
      select e.version
      from intent.events as e
      where e.tenant_id = settle_batch.tenant_id and e.aggregate_type = run.run ->> 'aggregateType' and e.aggregate_id = run.run ->> 'aggregateId'
      order by e.version desc
      limit 1
    ) as head on true
    order by run.no
  );
  select e.position, e.recorded_at into head_position, recorded_at
  from intent.events as e
  where e.tenant_id = settle_batch.tenant_id
  order by e.position desc
  limit 1;
  head_position := coalesce(head_position, 0);
  -- One hint a run: many runs can be too many by themselves.
  is_withheld := (coalesce(recorded_at > clock_timestamp() - interval '1 second', false) or cardinality(settled) > 10)
    and intent.withholds_hint(tenant_id, head_position, cardinality(settled));
  -- For broadcast_outcome.
  ignored := set_config('intent.hint_withheld', is_withheld::text, true);
  -- As in try_append.
  recorded_at := greatest(clock_timestamp(), recorded_at);

  for message in
    with decided as (
      select run.no as run_no, decision.no as decision_no, (run.run ->> 'expectedVersion')::bigint as expected_version, decision.decision, c.command
      from jsonb_array_elements(runs) with ordinality as run (run, no)
      cross join lateral jsonb_array_elements(run.run -> 'decisions') with ordinality as decision (decision, no)
      -- A look-up with a limit: the planner would rather read all commands of the tenant.
      cross join lateral (
        select command
        from intent.commands as command
        where command.tenant_id = settle_batch.tenant_id and command.command_id = (decision.decision ->> 'commandId')::uuid
        limit 1
      ) as c
      where settled[run.no]
    ), numbered as (
      select d.run_no, (d.command).command_id, event.event,
        d.expected_version + row_number() over (partition by d.run_no order by d.decision_no, event.no) as version,
        head_position + row_number() over (order by d.run_no, d.decision_no, event.no) as position,
        (d.command).aggregate_type, (d.command).aggregate_id, intent.metadata_of(d.command) as metadata
      from decided as d
      cross join lateral jsonb_array_elements(d.decision -> 'events') with ordinality as event (event, no)
    ), recorded as (
      insert into intent.events as e
        (tenant_id, position, aggregate_type, aggregate_id, version, type, schema_version, payload, metadata, recorded_at)
      select tenant_id, n.position, n.aggregate_type, n.aggregate_id, n.version, n.event ->> 'type',
        (n.event ->> 'schemaVersion')::integer, n.event -> 'payload', coalesce(n.event -> 'metadata', '{}') || n.metadata, recorded_at
      from numbered as n
      order by n.position
      returning e.aggregate_type, e.aggregate_id, e.position, intent.event_as_json(e) as event
    ), outcome as (
      select n.command_id, 'succeeded' as status, jsonb_build_object(
        'aggregateType', min(n.aggregate_type), 'aggregateId', min(n.aggregate_id), 'firstVersion', min(n.version),
        'lastVersion', max(n.version), 'firstPosition', min(n.position), 'lastPosition', max(n.position)) as outcome
      from numbered as n
      group by n.command_id
      union all
      select (d.command).command_id, 'rejected', jsonb_build_object(
        'code', d.decision #> '{rejection,code}', 'message', d.decision #> '{rejection,message}',
        'details', coalesce(d.decision #> '{rejection,details}', '{}'))
      from decided as d
      where not d.decision ? 'events'
    ), ending as (
      update intent.commands as c
      set status = outcome.status, outcome = outcome.outcome, completed_at = clock_timestamp()
      from outcome
      where c.tenant_id = settle_batch.tenant_id and c.command_id = any (ids) and c.command_id = outcome.command_id
    )
    select r.aggregate_type, r.aggregate_id, min(r.position) as first_position, max(r.position) as last_position,
      jsonb_agg(r.event order by r.position) as events
    from recorded as r
    group by r.aggregate_type, r.aggregate_id
    order by 3
  loop
    continue when is_withheld;
    ignored := intent.send_realtime(
      intent.append_as_message(message.aggregate_type, message.aggregate_id, message.first_position, message.last_position, message.events),
      'appended', 'tenant:' || tenant_id || ':events');
  end loop;
  return settled;
end
$$;
comment on function intent.settle_batch(uuid, jsonb) is
  'Settles many commands of one tenant in one transaction, aggregate by aggregate. Definer: the worker has no table privileges.';
grant execute on function intent.settle_batch(uuid, jsonb) to intent_worker;
--! EndIncluded queue/settle_batch.sql
--! Included queue/retry_command.sql
-- Puts a dead-lettered command back into the queue. An operator calls it.
-- Raises IN404, IN410 if the command is not a dead letter.
create or replace function intent.retry_command(tenant_id uuid, command_id uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  command intent.commands;
begin
  perform intent.enter_tenant(retry_command.tenant_id);
  command := intent.lock_command(retry_command.tenant_id, retry_command.command_id);
  if command.status <> 'failed' then
    raise exception using
      errcode = 'IN410',
      message = format('only a failed command can be retried; this one is %s', command.status);
  end if;
  update intent.commands as c
  set status = 'pending', outcome = null, completed_at = null, claimed_by = null, claimed_until = null, dispatched_at = null
  where c.tenant_id = command.tenant_id and c.command_id = command.command_id;
  perform intent.log_operator('retry_command', retry_command.tenant_id, jsonb_build_object('commandId', retry_command.command_id));
end
$$;
comment on function intent.retry_command(uuid, uuid) is
  'Puts a dead-lettered command back into the queue. Definer: an operator has no table privileges.';
grant execute on function intent.retry_command(uuid, uuid) to intent_operator;
--! EndIncluded queue/retry_command.sql
--! Included queue/check_reason.sql
-- Refuses an operator's act without a reason that others can read later. Raises IN422.
create or replace function intent.check_reason(reason text) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(length(btrim(reason)) not between 1 and 1000, true) then
    raise exception using errcode = 'IN422', message = 'a reason of 1 to 1,000 characters is needed: it is kept in the operator log';
  end if;
end
$$;
comment on function intent.check_reason(text) is 'Refuses an operator''s act without a reason (IN422).';
--! EndIncluded queue/check_reason.sql
--! Included queue/cancel_command.sql
-- Takes a command out of the queue that has not been dispatched: it is rejected as CANCELLED, which its submitter is told, and the
-- process manager that sent it. The reason stays in the operator's log. A repetition is silent. If an execution has begun
-- already, the row's lock decides: it finds the command ended, or this finds the outcome.
-- Raises IN404, IN410 if the command is not pending, IN422 without a reason.
create or replace function intent.cancel_command(tenant_id uuid, command_id uuid, reason text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  command intent.commands;
begin
  perform intent.check_reason(cancel_command.reason);
  perform intent.enter_tenant(cancel_command.tenant_id);
  command := intent.lock_command(cancel_command.tenant_id, cancel_command.command_id);
  if command.status = 'rejected' and command.outcome ->> 'code' = 'CANCELLED' then
    return;
  elsif command.status <> 'pending' then
    raise exception using
      errcode = 'IN410',
      message = format('only a pending command can be cancelled; this one is %s', command.status),
      detail = jsonb_build_object('status', command.status)::text;
  end if;
  perform intent.settle_command(command, 'rejected',
    '{"code": "CANCELLED", "message": "An operator has cancelled the command.", "details": {}}');
  perform intent.log_operator('cancel_command', cancel_command.tenant_id,
    jsonb_build_object('commandId', cancel_command.command_id, 'reason', cancel_command.reason));
end
$$;
comment on function intent.cancel_command(uuid, uuid, text) is
  'Takes a pending command out of the queue, as rejected with CANCELLED. Definer: an operator has no table privileges.';
grant execute on function intent.cancel_command(uuid, uuid, text) to intent_operator;
--! EndIncluded queue/cancel_command.sql

-- What an insert sets off.
--! Included doorbell/wait_lock_class.sql
-- The advisory locks of waiting pumps: (class, 1 … wait_slot_count()).
create or replace function intent.wait_lock_class() returns integer
language sql immutable
as $$
  select 1229870149;
$$;
comment on function intent.wait_lock_class() is 'The class of the advisory locks that waiting pumps hold.';
grant execute on function intent.wait_lock_class() to intent_pump;
--! EndIncluded doorbell/wait_lock_class.sql
--! Included doorbell/wait_slot_count.sql
-- More pumps than slots may run; the rest then poll.
create or replace function intent.wait_slot_count() returns integer
language sql immutable
as $$
  select 4;
$$;
comment on function intent.wait_slot_count() is 'How many pumps can wait for the doorbell at a time; others poll.';
grant execute on function intent.wait_slot_count() to intent_pump;
--! EndIncluded doorbell/wait_slot_count.sql
--! Included doorbell/take_wait_slot.sql
-- Makes inserts ring for this transaction, by a lock that it keeps until its end. Returns the slot, or null if the caller must poll: all
-- are taken, or a submission that stays open holds them up. Open submissions share the slots; it waits for them for a tenth of a second
-- at most, and who submits meanwhile rings already. The caller must look at the queue once more before it waits.
--
-- A lock of the transaction, not of the session: behind a pooler in transaction mode a session's lock stays with a
-- connection that the pump never gets again.
create or replace function intent.take_wait_slot() returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $$
begin
  for slot in 1 .. intent.wait_slot_count() loop
    if pg_try_advisory_xact_lock(intent.wait_lock_class(), slot) then
      return slot;
    end if;
  end loop;
  for slot in 1 .. intent.wait_slot_count() loop
    if intent.is_wait_slot_shared(slot) then
      -- Nobody waits in it.
      perform pg_advisory_xact_lock(intent.wait_lock_class(), slot);
      return slot;
    end if;
  end loop;
  return null;
exception when lock_not_available then
  return null;
end
$$;
comment on function intent.take_wait_slot() is 'Makes inserts ring for this transaction; returns its slot, or null if it must poll.';
grant execute on function intent.take_wait_slot() to intent_pump;

-- Whether nobody waits in a slot: only submissions share it. Tried as a lock of the session, which can be given back at once, within the
-- same statement and so on the same connection.
create or replace function intent.is_wait_slot_shared(slot integer) returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return case when pg_try_advisory_lock_shared(intent.wait_lock_class(), slot) then pg_advisory_unlock_shared(intent.wait_lock_class(), slot) else false end;
end
$$;
comment on function intent.is_wait_slot_shared(integer) is 'Whether only submissions share a slot, and nobody waits in it.';
grant execute on function intent.is_wait_slot_shared(integer) to intent_pump;
--! EndIncluded doorbell/take_wait_slot.sql
--! Included doorbell/ring_doorbell.sql
-- Wakes a sleeping pump: one NOTIFY a statement, without content, because any role can listen. A NOTIFY makes its
-- transaction hold a cluster-wide lock until the commit is on disk, so it is sent only if somebody waits.
--
-- Each that waits holds one of a few advisory locks (intent.take_wait_slot). We try to share each of them until our commit: if
-- that fails, somebody sleeps. No wake-up is lost: a lock that we share cannot be taken before our commit is visible, and
-- who takes it afterwards looks at the queue once more.
create or replace function intent.ring_doorbell() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  for slot in 1 .. intent.wait_slot_count() loop
    if not pg_try_advisory_xact_lock_shared(intent.wait_lock_class(), slot) then
      -- One that the server's queue had no room for would undo the transaction: the sleeper looks by itself then.
      if pg_notification_queue_usage() < 0.5 then
        perform pg_notify('intent_commands', '');
      end if;
      exit;
    end if;
  end loop;
  return null;
end
$$;
comment on function intent.ring_doorbell() is 'NOTIFY intent_commands if a pump waits: there may be something to claim.';

create or replace trigger ring_doorbell after insert on intent.commands
  for each statement execute function intent.ring_doorbell();

-- An end, a release or a retry lets the next command of the aggregate go.
create or replace trigger ring_doorbell_again after update of status, claimed_by on intent.commands
  for each row when (new.status <> 'dispatched' and (new.claimed_by is null or new.completed_at is not null))
  execute function intent.ring_doorbell();
--! EndIncluded doorbell/ring_doorbell.sql
--! Included doorbell/send_realtime.sql
-- Sends a hint to clients: one private broadcast. They find any loss by the positions, so whatever fault it meets is a warning,
-- one a transaction, and never undoes what it tells of (docs/adr/0016). Called by the functions of both owners.
do $$
begin
  -- Migrations before this one made the role that migrated its owner on some hosted projects: only that role can give it back.
  if to_regprocedure('intent.send_realtime(jsonb, text, text)') is not null
    and not pg_has_role('intent_owner', (select proowner from pg_proc where oid = to_regprocedure('intent.send_realtime(jsonb, text, text)')), 'usage')
  then
    reset role;
    alter function intent.send_realtime(jsonb, text, text) owner to intent_owner;
    set local role intent_owner;
  end if;
end
$$;
create or replace function intent.send_realtime(payload jsonb, event text, topic text) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- An assignment, not perform: that would start the executor, for each append.
  ignored text;
begin
  ignored := intent.broadcast(payload, event, topic);
exception when others then
  if coalesce(current_setting('intent.hint_fault', true), '') = '' then
    ignored := set_config('intent.hint_fault', sqlerrm, true);
    raise warning 'clients were not told by Realtime: %', sqlerrm
      using hint = 'Nothing is lost, they read the feed. Ask intent.doctor() what to do.';
  end if;
end
$$;
comment on function intent.send_realtime(jsonb, text, text) is
  'Sends a hint to clients over Supabase Realtime. Whatever fault it meets is a warning.';
grant execute on function intent.send_realtime(jsonb, text, text) to intent_system;
--! EndIncluded doorbell/send_realtime.sql
--! Included doorbell/hint_fault.sql
-- Whether hints can be sent, found by sending one, as an append does, and taking it back. For intent.doctor and /readyz.
-- realtime.send turns its own faults into warnings, so what it has written is counted, in this session's own statistics.
create or replace function intent.hint_fault() returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  tables constant oid[] := array(select oid from pg_class where relnamespace = to_regnamespace('realtime') and relkind = 'r');
  written_before constant bigint := (select sum(pg_stat_get_xact_tuples_inserted(t)) from unnest(tables) as t);
  has_sent boolean := false;
  fault text;
begin
  begin
    perform intent.broadcast('{}', 'tried', 'intent:tried');
    has_sent := true;
    if current_setting('track_counts')::boolean
      and written_before is not distinct from (select sum(pg_stat_get_xact_tuples_inserted(t)) from unnest(tables) as t)
    then
      fault := 'realtime.send wrote no message, for the reason in its warning in the server''s log';
    end if;
    raise exception 'taken back';
  exception when others then
    if not has_sent then
      fault := sqlerrm;
    end if;
  end;
  return fault;
end
$$;
comment on function intent.hint_fault() is
  'Why clients cannot be told by Realtime of what happens; null if they can. Definer: it tries what only the owner may do.';
grant execute on function intent.hint_fault() to intent_system, intent_worker, intent_pump;
--! EndIncluded doorbell/hint_fault.sql
--! Included doorbell/broadcast_outcome.sql
-- Tells the submitter, and nobody else, how its command ended. Not above the tenant's rate of hints (docs/adr/0018): successes go as the
-- hint of their events does, of rejections as many are told as of appends. The submitter then asks get_command, as for any message
-- that is lost.
create or replace function intent.broadcast_outcome() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  ignored text;
begin
  if new.status = 'succeeded' and current_setting('intent.hint_withheld', true) = 'true' then
    return null;
  elsif new.status = 'rejected' and exists (
    select
    from intent.tenants as t
    cross join lateral (
      select c.completed_at
      from intent.commands as c
      where c.tenant_id = t.tenant_id and c.status = 'rejected'
      order by c.completed_at desc
      offset t.hints_per_second * 10
      limit 1
    ) as earlier
    where t.tenant_id = new.tenant_id and t.hints_per_second is not null and earlier.completed_at > clock_timestamp() - interval '10 seconds'
  ) then
    return null;
  end if;
  ignored := intent.send_realtime(
    intent.command_as_json(new, false), 'outcome', format('tenant:%s:user:%s', new.tenant_id, new.actor_user_id));
  return null;
end
$$;
comment on function intent.broadcast_outcome() is 'Broadcasts a command''s outcome to its submitter.';

create or replace trigger broadcast_outcome after update of status on intent.commands
  for each row when (new.completed_at is not null and new.actor_user_id is not null)
  execute function intent.broadcast_outcome();
--! EndIncluded doorbell/broadcast_outcome.sql

-- Read models.
--! Included read-models/key_columns.sql
-- The columns of a read model's primary key, quoted, for `using`.
create or replace function intent.key_columns(of_read_model text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(quote_ident(a.attname), ', ')
  from pg_index as i
  join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
  where i.indrelid = to_regclass(format('intent.%I', of_read_model)) and i.indisprimary;
$$;
comment on function intent.key_columns(text) is 'The columns of a read model''s primary key.';
--! EndIncluded read-models/key_columns.sql
--! Included read-models/find_drift.sql
-- Where a tenant's read models differ from what its events make of them: empty when all is well. One statement, so rows and events
-- are of one moment.
create or replace function intent.find_drift(of_tenant uuid) returns table (read_model text, aggregate_id text, kept jsonb, rebuilt jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  comparisons text;
begin
  select string_agg(format(
    'select %L, %2$I::text, to_jsonb(kept), to_jsonb(made) '
    'from (select k.* from intent.%1$I as k where k.tenant_id = $1) as kept '
    'full join intent.%3$I($1, null) as made using (%4$s) '
    'where to_jsonb(kept) is distinct from to_jsonb(made)',
    m.read_model, m.aggregate_column, m.read_model || '_as_of', intent.key_columns(m.read_model)), ' union all ' order by m.read_model)
  into comparisons
  from intent.read_models as m;
  if comparisons is not null then
    return query execute comparisons using of_tenant;
  end if;
end
$$;
comment on function intent.find_drift(uuid) is 'Where a tenant''s read models differ from what its events make of them.';
--! EndIncluded read-models/find_drift.sql
--! Included read-models/read_model_drift.sql
-- find_drift, for an operator.
create or replace function intent.read_model_drift(tenant_id uuid) returns table (read_model text, aggregate_id text, kept jsonb, rebuilt jsonb)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.enter_tenant(read_model_drift.tenant_id);
  perform intent.log_operator('read_model_drift', read_model_drift.tenant_id);
  return query select drift.* from intent.find_drift(read_model_drift.tenant_id) as drift;
end
$$;
comment on function intent.read_model_drift(uuid) is
  'Where a tenant''s read models differ from what its events make of them; empty when all is well. '
  'Definer: an operator has no table privileges.';
grant execute on function intent.read_model_drift(uuid) to intent_operator;
--! EndIncluded read-models/read_model_drift.sql
--! Included read-models/rebuild_read_models.sql
-- Makes a tenant's read models anew from its events, while clients read and write. What differs is found aside, which takes the
-- time; what does not differ is kept right by the triggers. Then, under the tenant's lock, the rows of the aggregates that differ are
-- exchanged: readers see the old ones until the commit, and appends of this tenant wait for the exchange alone. At most
-- max_aggregates in a call, so that they do not wait long: call it until it returns 0. Returns how many it has exchanged.
-- Raises IN404, IN422.
create or replace function intent.rebuild_read_models(tenant_id uuid, max_aggregates integer default 500) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  model intent.read_models;
  differing text[];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = 'IN422', message = 'a rebuild needs a transaction at the level read committed';
  end if;
  perform intent.enter_tenant(tenant_id);
  if not exists (select from intent.tenants as t where t.tenant_id = rebuild_read_models.tenant_id) then
    raise exception using errcode = 'IN404', message = 'there is no such tenant';
  end if;
  differing := array(select distinct drift.aggregate_id from intent.find_drift(tenant_id) as drift limit max_aggregates);
  perform pg_advisory_xact_lock(hashtextextended(tenant_id::text, 0));

  for model in select m.* from intent.read_models as m order by m.read_model loop
    execute format('delete from intent.%I as kept where kept.tenant_id = $1 and kept.%I = any ($2)', model.read_model, model.aggregate_column)
      using tenant_id, differing;
    execute format('insert into intent.%I select made.* from intent.%I($1, null, $2) as made', model.read_model, model.read_model || '_as_of')
      using tenant_id, differing;
  end loop;

  perform intent.log_operator('rebuild_read_models', tenant_id, jsonb_build_object('aggregates', cardinality(differing)));
  return cardinality(differing);
end
$$;
comment on function intent.rebuild_read_models(uuid, integer) is
  'Makes a tenant''s read models anew from its events; call it until it returns 0. Definer: an operator has no table privileges.';
grant execute on function intent.rebuild_read_models(uuid, integer) to intent_operator;
--! EndIncluded read-models/rebuild_read_models.sql

-- Process managers.
--! Included processes/queue_reaction.sql
-- Queues what an instance of a process manager is to react to, in the transaction of what has happened. The instance's row
-- numbers reactions in commit order, and is made by the first. The pump that sleeps is woken.
create or replace function intent.queue_reaction(
  of_tenant uuid, of_process text, of_key text, message jsonb, correlation_id uuid default null, traceparent text default null
) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  number bigint;
begin
  insert into intent.processes as p (tenant_id, process, key, status, last_sequence, wake_at, correlation_id, traceparent)
  values (of_tenant, of_process, of_key, 'open', 1, clock_timestamp(), queue_reaction.correlation_id, queue_reaction.traceparent)
  on conflict (tenant_id, process, key) do update set
    last_sequence = p.last_sequence + 1,
    wake_at = case when p.status <> 'failed' then excluded.wake_at end,
    correlation_id = coalesce(excluded.correlation_id, p.correlation_id),
    traceparent = coalesce(excluded.traceparent, p.traceparent)
  returning p.last_sequence into number;
  insert into intent.reactions (tenant_id, process, key, sequence, message) values (of_tenant, of_process, of_key, number, message);
end
$$;
comment on function intent.queue_reaction(uuid, text, text, jsonb, uuid, text) is 'Queues what an instance of a process manager is to react to.';

create or replace trigger ring_doorbell after insert on intent.reactions
  for each statement execute function intent.ring_doorbell();
--! EndIncluded processes/queue_reaction.sql
--! Included processes/queue_reactions.sql
-- Tells process managers of an event that they react to. Its trigger stands in process_events_rows.sql, with the types.
create or replace function intent.queue_reactions() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  listener record;
begin
  for listener in
    select e.process, case when e.key_path = '' then new.aggregate_id else new.payload ->> e.key_path end as key
    from intent.process_events as e
    where e.event_type = new.type
  loop
    perform intent.queue_reaction(
      new.tenant_id, listener.process, listener.key,
      jsonb_build_object('kind', 'event', 'event', intent.event_as_json(new)),
      (new.metadata ->> 'correlationId')::uuid, new.metadata ->> 'traceparent')
    where listener.key is not null;
  end loop;
  return null;
end
$$;
comment on function intent.queue_reactions() is 'Tells process managers of an event.';
--! EndIncluded processes/queue_reactions.sql
--! Included processes/queue_outcome.sql
-- Tells a process manager how a command ended that it sent. Not of a dead letter: an operator mends and retries it, and the
-- process waits for that.
create or replace function intent.queue_outcome() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.queue_reaction(new.tenant_id, new.process, new.process_key, jsonb_build_object(
    'kind', 'outcome', 'commandId', new.command_id, 'type', new.type, 'aggregateId', new.aggregate_id,
    'status', new.status, 'outcome', new.outcome));
  return null;
end
$$;
comment on function intent.queue_outcome() is 'Tells a process manager the outcome of its command.';

create or replace trigger queue_outcome after update of status on intent.commands
  for each row when (new.process is not null and new.status in ('succeeded', 'rejected'))
  execute function intent.queue_outcome();
--! EndIncluded processes/queue_outcome.sql
--! Included processes/calls_as_json.sql
-- The open calls of an instance as a list, requests left out if they are for Temporal's history.
create or replace function intent.calls_as_json(calls jsonb, with_requests boolean default true) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('callId', call.id, 'name', call.value -> 'name')
      || case when with_requests then jsonb_build_object('request', call.value -> 'request') else '{}' end order by call.id collate "C"), '[]')
    from jsonb_each(calls) as call (id, value)
  );
end
$$;
comment on function intent.calls_as_json(jsonb, boolean) is 'The open calls of an instance as a list.';
--! EndIncluded processes/calls_as_json.sql
--! Included processes/lock_process.sql
-- The row of an instance, locked until the transaction ends. Raises IN404.
create or replace function intent.lock_process(of_tenant uuid, of_process text, of_key text) returns intent.processes
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  instance intent.processes;
begin
  select p.* into instance
  from intent.processes as p
  where p.tenant_id = of_tenant and p.process = of_process and p.key = of_key
  for update;
  if not found then
    raise exception using errcode = 'IN404', message = 'there is no such process';
  end if;
  return instance;
end
$$;
comment on function intent.lock_process(uuid, text, text) is 'The row of an instance, locked (IN404).';
--! EndIncluded processes/lock_process.sql
--! Included processes/wake_time.sql
-- When somebody must look after an instance that nothing new happens to: a while after its workflow should have come back to it, as
-- that may be lost. Null if there is nothing to wait for.
create or replace function intent.wake_time(calls jsonb, next_timer timestamptz) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when calls <> '{}' then least(clock_timestamp() + interval '20 seconds', next_timer + interval '10 seconds')
    else next_timer + interval '10 seconds'
  end;
end
$$;
comment on function intent.wake_time(jsonb, timestamptz) is 'When somebody must look after an instance that nothing new happens to.';
--! EndIncluded processes/wake_time.sql
--! Included processes/release_process.sql
-- Gives a claimed instance back that nobody could be told of: it is claimable again after a second. It does not wait for
-- somebody who is busy with the instance, who says himself when it must be looked at.
create or replace function intent.release_process(tenant_id uuid, process text, key text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.enter_tenant(release_process.tenant_id);
  update intent.processes as p
  set wake_at = least(p.wake_at, clock_timestamp() + interval '1 second')
  from (
    select true
    from intent.processes as locked
    where locked.tenant_id = release_process.tenant_id and locked.process = release_process.process and locked.key = release_process.key
      and locked.wake_at is not null
    for update skip locked
  ) as free
  where p.tenant_id = release_process.tenant_id and p.process = release_process.process and p.key = release_process.key;
end
$$;
comment on function intent.release_process(uuid, text, text) is
  'Gives a claimed instance back: claimable again after a second. Definer: the pump has no table privileges.';
grant execute on function intent.release_process(uuid, text, text) to intent_pump;
--! EndIncluded processes/release_process.sql
--! Included processes/load_process.sql
-- All that the next step of a process manager needs: what it remembers, and what has happened since. At most 100 reactions.
-- Null if there is no such instance.
create or replace function intent.load_process(tenant_id uuid, process text, key text) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  instance intent.processes;
  moment timestamptz := clock_timestamp();
begin
  perform intent.enter_tenant(load_process.tenant_id);
  select p.* into instance
  from intent.processes as p
  where p.tenant_id = load_process.tenant_id and p.process = load_process.process and p.key = load_process.key;
  if not found then
    return null;
  end if;
  return jsonb_build_object(
    'state', instance.state,
    'stateVersion', instance.state_version,
    'step', instance.step,
    'status', instance.status,
    'timers', instance.timers,
    'timerCauses', instance.timer_causes,
    'dueTimers', coalesce((
      select jsonb_agg(timer.name order by timer.due_at::timestamptz, timer.name collate "C")
      from jsonb_each_text(instance.timers) as timer (name, due_at)
      where timer.due_at::timestamptz <= moment
    ), '[]'),
    'calls', intent.calls_as_json(instance.calls),
    'now', intent.timestamp_as_text(moment),
    'correlationId', instance.correlation_id,
    'traceparent', instance.traceparent,
    'reactions', coalesce((
      select jsonb_agg(jsonb_build_object('sequence', next.sequence, 'message', next.message) order by next.sequence)
      from (
        select r.sequence, r.message
        from intent.reactions as r
        where r.tenant_id = load_process.tenant_id and r.process = load_process.process and r.key = load_process.key
        order by r.sequence
        limit 100
      ) as next
    ), '[]')
  );
end
$$;
comment on function intent.load_process(uuid, text, text) is
  'What the next step of a process manager needs, as jsonb. Definer: the worker has no table privileges.';
grant execute on function intent.load_process(uuid, text, text) to intent_worker;
--! EndIncluded processes/load_process.sql
--! Included processes/trace_process.sql
-- Notes what happened to an instance of a process manager between an event and a command, for command_trace. It is noted under the
-- request of the command behind it, or of the instance if there is none.
create or replace function intent.trace_process(
  instance intent.processes, what text, id text, name text, status text, causation_id uuid, cause text
) returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  insert into intent.process_trace (tenant_id, process, key, what, id, name, status, correlation_id, causation_id, cause)
  values (
    instance.tenant_id, instance.process, instance.key, trace_process.what, trace_process.id, trace_process.name, trace_process.status,
    coalesce(
      (select c.correlation_id from intent.commands as c where c.tenant_id = instance.tenant_id and c.command_id = trace_process.causation_id),
      instance.correlation_id),
    trace_process.causation_id, trace_process.cause);
$$;
comment on function intent.trace_process(intent.processes, text, text, text, text, uuid, text) is
  'Notes what happened to an instance of a process manager, for command_trace.';
--! EndIncluded processes/trace_process.sql
--! Included processes/send_process_command.sql
-- Submits a command of a process manager as the system. A step is taken once, so its id need not be derived from anything, and
-- nobody can know it beforehand. It belongs to the request of the command behind it, or of the instance if there is none: another
-- request may have had the instance go on meanwhile.
create or replace function intent.send_process_command(instance intent.processes, command jsonb) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  known intent.message_types;
  -- Of who has written the payload: a worker of the release before may know an earlier one.
  written_as integer;
  behind record;
begin
  select m.* into known from intent.message_types as m where m.type = command ->> 'type';
  written_as := coalesce((command ->> 'schemaVersion')::integer, known.schema_version);
  known := intent.check_submission(
    (command ->> 'commandId')::uuid, command ->> 'type', command ->> 'aggregateType', command ->> 'aggregateId', command -> 'payload',
    null, null, written_as, instance.traceparent);
  select c.correlation_id, c.traceparent into behind
  from intent.commands as c
  where c.tenant_id = instance.tenant_id and c.command_id = (command ->> 'causationId')::uuid;
  perform intent.insert_command(
    instance.tenant_id, (command ->> 'commandId')::uuid, known.type, known.aggregate_type, command ->> 'aggregateId',
    command -> 'payload', written_as, 'system', correlation_id => coalesce(behind.correlation_id, instance.correlation_id),
    causation_id => (command ->> 'causationId')::uuid, traceparent => coalesce(behind.traceparent, instance.traceparent),
    process => instance.process, process_key => instance.key, cause => command ->> 'cause');
end
$$;
comment on function intent.send_process_command(intent.processes, jsonb) is 'Submits a command of a process manager as the system.';
--! EndIncluded processes/send_process_command.sql
--! Included processes/advance_process.sql
-- One step of a process manager, all or nothing: what it remembers now, the commands that it sends, its timers and calls, and the
-- reactions that it has dealt with. Returns what is left to wait for.
-- advance: { state, stateVersion, status: open | done, timers: { name: when }, timerCauses: { name: commandId }, commands: [{ commandId,
-- type, aggregateType, aggregateId, payload, causationId, cause }], calls: [{ callId, name, request, causationId }],
-- endedCalls: [callId], acknowledged: [sequence], trace: [{ what, id, name, status, causationId, cause }] }
-- Raises IN001 if it has been advanced meanwhile, IN404, IN422 malformed, or a command that may not be.
create or replace function intent.advance_process(tenant_id uuid, process text, key text, expected_step bigint, advance jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  instance intent.processes;
  command jsonb;
  entry jsonb;
  next_timer timestamptz;
  open_calls jsonb;
  has_more boolean;
  moment timestamptz := clock_timestamp();
begin
  perform intent.enter_tenant(tenant_id);
  instance := intent.lock_process(tenant_id, process, key);
  if instance.step is distinct from expected_step then
    raise exception using
      errcode = 'IN001',
      message = format('expected step %s, but the process is at step %s', expected_step, instance.step),
      detail = jsonb_build_object('actualVersion', instance.step)::text,
      hint = 'Load the process again and react anew.';
  elsif coalesce(advance ->> 'status' not in ('open', 'done'), true) or jsonb_typeof(advance -> 'state') is distinct from 'object' then
    raise exception using errcode = 'IN422', message = 'a step needs a state and the status open or done';
  end if;

  for entry in select element from jsonb_array_elements(coalesce(advance -> 'trace', '[]')) as element loop
    perform intent.trace_process(instance, entry ->> 'what', entry ->> 'id', entry ->> 'name', entry ->> 'status',
      (entry ->> 'causationId')::uuid, entry ->> 'cause');
  end loop;
  for command in select element from jsonb_array_elements(coalesce(advance -> 'commands', '[]')) as element loop
    perform intent.send_process_command(instance, command);
  end loop;
  delete from intent.reactions as r
  where r.tenant_id = tenant_id and r.process = process and r.key = key
    and r.sequence in (select number::bigint from jsonb_array_elements_text(coalesce(advance -> 'acknowledged', '[]')) as number);

  open_calls := (instance.calls - array(select jsonb_array_elements_text(coalesce(advance -> 'endedCalls', '[]')))) || coalesce((
    select jsonb_object_agg(call ->> 'callId', jsonb_build_object('name', call -> 'name', 'request', call -> 'request',
      'causationId', call -> 'causationId'))
    from jsonb_array_elements(advance -> 'calls') as call
  ), '{}');
  next_timer := (select min(due_at::timestamptz) from jsonb_each_text(coalesce(advance -> 'timers', '{}')) as timer (name, due_at));
  has_more := exists (select from intent.reactions as r where r.tenant_id = tenant_id and r.process = process and r.key = key);

  update intent.processes as p
  set state = advance -> 'state', state_version = (advance ->> 'stateVersion')::integer, status = advance ->> 'status', step = p.step + 1,
      timers = coalesce(advance -> 'timers', '{}'), timer_causes = coalesce(advance -> 'timerCauses', '{}'), calls = open_calls,
      next_timer = next_timer, error = null, failed_at = null,
      -- What waits is dealt with at once by the workflow that is at it.
      wake_at = case when has_more then moment + interval '10 seconds' else intent.wake_time(open_calls, next_timer) end
  where p.tenant_id = tenant_id and p.process = process and p.key = key;

  return jsonb_build_object(
    'step', instance.step + 1,
    'more', has_more,
    'nextTimerInMs', case when next_timer is not null then greatest(0, ceil(extract(epoch from next_timer - moment) * 1000)) end,
    'calls', intent.calls_as_json(open_calls, false)
  );
end
$$;
comment on function intent.advance_process(uuid, text, text, bigint, jsonb) is
  'One step of a process manager, all or nothing. Definer: the worker has no table privileges.';
grant execute on function intent.advance_process(uuid, text, text, bigint, jsonb) to intent_worker;
--! EndIncluded processes/advance_process.sql
--! Included processes/load_call.sql
-- What an outside call of a process manager asks for; null if it has its answer, or needs none any more.
create or replace function intent.load_call(tenant_id uuid, process text, key text, call_id text) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.enter_tenant(load_call.tenant_id);
  return (
    select (p.calls -> load_call.call_id) - 'causationId' || jsonb_build_object('traceparent', p.traceparent)
    from intent.processes as p
    where p.tenant_id = load_call.tenant_id and p.process = load_call.process and p.key = load_call.key
  );
end
$$;
comment on function intent.load_call(uuid, text, text, text) is
  'What an outside call asks for: jsonb { name, request, traceparent }, or null. Definer: the worker has no table privileges.';
grant execute on function intent.load_call(uuid, text, text, text) to intent_worker;
--! EndIncluded processes/load_call.sql
--! Included processes/answer_call.sql
-- Tells a process manager the answer to its outside call, once: false if the call is not open any more. Raises IN404.
create or replace function intent.answer_call(tenant_id uuid, process text, key text, call_id text, answer jsonb) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  instance intent.processes;
  call jsonb;
begin
  perform intent.enter_tenant(tenant_id);
  instance := intent.lock_process(tenant_id, process, key);
  if not instance.calls ? call_id then
    return false;
  end if;
  call := instance.calls -> call_id;
  perform intent.trace_process(instance, 'answer', 'answer ' || call_id, call ->> 'name',
    case when answer -> 'ok' = 'true' then 'ok' else coalesce(answer #>> '{error,code}', 'not ok') end,
    (call ->> 'causationId')::uuid, 'call ' || call_id);
  perform intent.queue_reaction(tenant_id, process, key, jsonb_build_object(
    'kind', 'answer', 'callId', call_id, 'name', call -> 'name', 'answer', answer, 'causationId', call -> 'causationId'));
  update intent.processes as p
  set calls = p.calls - call_id
  where p.tenant_id = tenant_id and p.process = process and p.key = key;
  return true;
end
$$;
comment on function intent.answer_call(uuid, text, text, text, jsonb) is
  'Tells a process manager the answer to its outside call, once. Definer: the worker has no table privileges.';
grant execute on function intent.answer_call(uuid, text, text, text, jsonb) to intent_worker;
--! EndIncluded processes/answer_call.sql
--! Included processes/cancel_process.sql
-- Asks an instance of a process manager to undo what it has done, and to end. One that has failed does so when it is retried. An
-- operator gives a reason, which is kept in the log; the worker calls it when somebody has cancelled the workflow.
-- Raises IN404; for an operator also IN410 if it has ended, IN422 without a reason.
create or replace function intent.cancel_process(tenant_id uuid, process text, key text, reason text default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  instance intent.processes;
  is_operator boolean := pg_has_role(session_user, 'intent_operator', 'member');
begin
  if is_operator then
    perform intent.check_reason(cancel_process.reason);
  end if;
  perform intent.enter_tenant(cancel_process.tenant_id);
  instance := intent.lock_process(cancel_process.tenant_id, cancel_process.process, cancel_process.key);
  if is_operator then
    if instance.status = 'done' then
      raise exception using errcode = 'IN410', message = 'the process has already ended', detail = '{"status": "done"}',
        hint = 'What it has brought about is undone by commands of its aggregates.';
    end if;
    perform intent.log_operator('cancel_process', cancel_process.tenant_id,
      jsonb_build_object('process', cancel_process.process, 'key', cancel_process.key, 'reason', cancel_process.reason));
  end if;
  perform intent.trace_process(instance, 'cancellation', 'cancellation', null, 'asked for', null, null);
  perform intent.queue_reaction(cancel_process.tenant_id, cancel_process.process, cancel_process.key, '{"kind": "cancel"}');
end
$$;
comment on function intent.cancel_process(uuid, text, text, text) is
  'Asks an instance of a process manager to undo what it has done, and to end. Definer: worker and operator have no table privileges.';
grant execute on function intent.cancel_process(uuid, text, text, text) to intent_worker, intent_operator;
--! EndIncluded processes/cancel_process.sql
--! Included processes/fail_process.sql
-- Sets an instance of a process manager aside that a bug keeps from going on. Its reactions wait; retry_process has it go on.
-- Raises IN404.
create or replace function intent.fail_process(tenant_id uuid, process text, key text, error jsonb) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  instance intent.processes;
begin
  perform intent.enter_tenant(fail_process.tenant_id);
  instance := intent.lock_process(fail_process.tenant_id, fail_process.process, fail_process.key);
  update intent.processes as p
  set status = 'failed', error = coalesce(fail_process.error, '{}'), failed_at = clock_timestamp(), wake_at = null
  where p.tenant_id = fail_process.tenant_id and p.process = fail_process.process and p.key = fail_process.key;
end
$$;
comment on function intent.fail_process(uuid, text, text, jsonb) is
  'Sets an instance aside, with the reason, for an operator to retry. Definer: the worker has no table privileges.';
grant execute on function intent.fail_process(uuid, text, text, jsonb) to intent_worker;
--! EndIncluded processes/fail_process.sql
--! Included processes/retry_process.sql
-- Has an instance go on that was set aside. Raises IN404, IN410 if it has not failed.
create or replace function intent.retry_process(tenant_id uuid, process text, key text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  instance intent.processes;
begin
  perform intent.enter_tenant(retry_process.tenant_id);
  instance := intent.lock_process(retry_process.tenant_id, retry_process.process, retry_process.key);
  if instance.status <> 'failed' then
    raise exception using errcode = 'IN410', message = format('the process has not failed: it is %s', instance.status),
      detail = jsonb_build_object('status', instance.status)::text;
  end if;
  perform intent.log_operator('retry_process', retry_process.tenant_id,
    jsonb_build_object('process', retry_process.process, 'key', retry_process.key));
  update intent.processes as p
  set status = 'open', error = null, failed_at = null,
      wake_at = case
        when exists (
          select from intent.reactions as r
          where r.tenant_id = p.tenant_id and r.process = p.process and r.key = p.key
        ) then clock_timestamp()
        else intent.wake_time(p.calls, p.next_timer)
      end
  where p.tenant_id = retry_process.tenant_id and p.process = retry_process.process and p.key = retry_process.key;
end
$$;
comment on function intent.retry_process(uuid, text, text) is
  'Has an instance go on that was set aside. Definer: an operator has no table privileges.';
grant execute on function intent.retry_process(uuid, text, text) to intent_operator;
--! EndIncluded processes/retry_process.sql

-- Commands that recur.
--! Included schedules/on_occasion.sql
-- A text of a schedule with what it says of one occasion put in: {month}, {date}, {uuid}.
create or replace function intent.on_occasion(template text, occasion timestamptz, time_zone text, command_id uuid) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  local_time timestamp := occasion at time zone time_zone;
begin
  return replace(replace(replace(template,
    '{month}', to_char(local_time, 'YYYY-MM')),
    '{date}', to_char(local_time, 'YYYY-MM-DD')),
    '{uuid}', command_id::text);
end
$$;
comment on function intent.on_occasion(text, timestamptz, text, uuid) is 'A text of a schedule with what it says of one occasion put in.';
--! EndIncluded schedules/on_occasion.sql
--! Included schedules/cron_value.sql
-- One number of a cron expression, which may be written as a word; null if it is none of the words.
create or replace function intent.cron_value(written text, smallest integer, names text[]) returns integer
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when written ~ '^[0-9]+$' then written::integer else array_position(names, written) - 1 + smallest end;
$$;
comment on function intent.cron_value(text, integer, text[]) is 'One number of a cron expression; null if it is no number and no name.';
--! EndIncluded schedules/cron_value.sql
--! Included schedules/cron_values.sql
-- The numbers that one field of a cron expression stands for, in ascending order: *, 5, MON, 1-5, */15, 10-30/5, 5/15 and lists of
-- them, as Temporal reads them. names: the words that may stand for numbers, from `smallest` on. Raises IN422 and names the field.
create or replace function intent.cron_values(field text, named text, smallest integer, largest integer, names text[] default '{}') returns integer[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  part text;
  bounds text[];
  lowest integer;
  highest integer;
  step integer;
  found integer[] := '{}';
begin
  foreach part in array string_to_array(upper(field), ',') loop
    bounds := regexp_match(part, '^(?:(\*)|([0-9]{1,2}|[A-Z]{3})(?:-([0-9]{1,2}|[A-Z]{3}))?)(?:/([0-9]{1,2}))?$');
    step := coalesce(bounds[4]::integer, 1);
    lowest := case when bounds[1] is not null then smallest else intent.cron_value(bounds[2], smallest, names) end;
    highest := case
      when bounds[3] is not null then intent.cron_value(bounds[3], smallest, names)
      when bounds[1] is not null or bounds[4] is not null then largest
      else lowest
    end;
    if coalesce(lowest < smallest or highest > largest or lowest > highest or step < 1, true) then
      raise exception using errcode = 'IN422',
        message = format('cron: "%s" is no %s from %s to %s, nor a range (1-5), step (*/15) or list (1,3) of them', part, named, smallest, largest);
    end if;
    found := found || array(select generate_series(lowest, highest, step));
  end loop;
  return array(select distinct value from unnest(found) as value order by value);
end
$$;
comment on function intent.cron_values(text, text, integer, integer, text[]) is 'The numbers that one field of a cron expression stands for (IN422).';
--! EndIncluded schedules/cron_values.sql
--! Included schedules/read_cron.sql
-- A cron expression with five fields as numbers: { minutes, hours, days, months, weekdays }, of which 0 is Sunday. Raises IN422.
create or replace function intent.read_cron(cron text) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  fields text[] := string_to_array(cron, ' ');
begin
  if coalesce(cron !~ '^[0-9*,/A-Za-z-]+( [0-9*,/A-Za-z-]+){4}$' or length(cron) > 100, true) then
    raise exception using errcode = 'IN422', message = 'cron must have five fields: minute, hour, day of month, month, day of week';
  end if;
  return jsonb_build_object(
    'minutes', intent.cron_values(fields[1], 'minute', 0, 59),
    'hours', intent.cron_values(fields[2], 'hour', 0, 23),
    'days', intent.cron_values(fields[3], 'day of month', 1, 31),
    'months', intent.cron_values(fields[4], 'month', 1, 12, '{JAN,FEB,MAR,APR,MAY,JUN,JUL,AUG,SEP,OCT,NOV,DEC}'),
    -- Sunday is 0 and 7.
    'weekdays', array(
      select distinct value % 7
      from unnest(intent.cron_values(fields[5], 'day of week', 0, 7, '{SUN,MON,TUE,WED,THU,FRI,SAT}')) as value
      order by 1));
end
$$;
comment on function intent.read_cron(text) is 'A cron expression as numbers: jsonb { minutes, hours, days, months, weekdays } (IN422).';
--! EndIncluded schedules/read_cron.sql
--! Included schedules/runs_hourly.sql
-- Whether a cron expression (read_cron) fits in every hour of its days: then it means time that passes, not a time on the wall.
create or replace function intent.runs_hourly(read jsonb) returns boolean
language sql stable
as $$
  select jsonb_array_length(read -> 'hours') = 24;
$$;
comment on function intent.runs_hourly(jsonb) is 'Whether a cron expression fits in every hour of its days.';
--! EndIncluded schedules/runs_hourly.sql
--! Included schedules/local_occasions.sql
-- When a cron expression is true by the clock on the wall, from that day on: day of month *and* day of week must fit, as in Temporal's
-- schedules. Looks forty years ahead, in which every day of the calendar falls on every day of the week, and stops after so many days.
create or replace function intent.local_occasions(read jsonb, first_day date, max_days integer) returns setof timestamp
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select day + make_interval(hours => hour::integer, mins => minute::integer)
  from (
    select day
    from generate_series(first_day::timestamp, first_day + interval '40 years', '1 day') as day
    where read -> 'months' @> to_jsonb(extract(month from day)) and read -> 'days' @> to_jsonb(extract(day from day))
      and read -> 'weekdays' @> to_jsonb(extract(dow from day))
    order by day
    limit max_days
  ) as days
  cross join jsonb_array_elements_text(read -> 'hours') as hour
  cross join jsonb_array_elements_text(read -> 'minutes') as minute
  order by 1;
$$;
comment on function intent.local_occasions(jsonb, date, integer) is 'When a cron expression (read_cron) is true by the clock on the wall.';
--! EndIncluded schedules/local_occasions.sql
--! Included schedules/moments_of.sql
-- The moments at which Temporal sends a schedule's command for this time on the wall. None if summer time begins and skips it. If
-- summer time ends and the time is shown twice: both, but for time zones ahead of UTC the second alone.
create or replace function intent.moments_of(local_time timestamp, time_zone text) returns timestamptz[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select moment
    from unnest(array['-1 hour', '-30 minutes', '0', '30 minutes', '1 hour']::interval[]) as shift
    cross join lateral (select (local_time at time zone time_zone) + shift as moment) as shifted
    where moment at time zone time_zone = local_time
      -- Its first guess is the time as if it were UTC's, less what the zone is ahead then; it looks on from there.
      and moment >= (local_time at time zone 'UTC') - ((local_time at time zone 'UTC') at time zone time_zone - local_time)
    order by moment
  );
$$;
comment on function intent.moments_of(timestamp, text) is 'The moments at which Temporal sends a schedule''s command for this time on the wall.';
--! EndIncluded schedules/moments_of.sql
--! Included schedules/describe_occasions.sql
-- What a schedule's cron expression comes to, for the person who writes it: { nextOccasions: the first five moments, skipped: times on
-- the wall within a year that do not exist, because summer time begins: then nothing is sent }. A time that is shown twice is one
-- occasion, at the first moment that Temporal knows, unless the schedule runs in every hour: see submit_scheduled_command.
-- Raises IN422 if there is no occasion at all.
create or replace function intent.describe_occasions(cron text, time_zone text, after timestamptz) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  read jsonb := intent.read_cron(cron);
  hourly boolean := intent.runs_hourly(read);
  today date := after at time zone time_zone;
  a_day integer := jsonb_array_length(read -> 'hours') * jsonb_array_length(read -> 'minutes');
  next_occasions jsonb;
  skipped jsonb;
begin
  select jsonb_agg(intent.timestamp_as_text(moment) order by moment) into next_occasions
  from (
    select moment
    from intent.local_occasions(read, today, 2 + 10 / a_day) as local_time
    cross join lateral unnest(intent.moments_of(local_time, time_zone)) with ordinality as of_wall_time (moment, no)
    where moment > after and (no = 1 or hourly)
    order by moment
    limit 5
  ) as first_five;
  if next_occasions is null then
    raise exception using errcode = 'IN422', message = format('cron: "%s" never comes, there is no such day', cron);
  end if;
  select jsonb_agg(to_char(local_time, 'YYYY-MM-DD HH24:MI') order by local_time) into skipped
  from intent.local_occasions(read, today, 366) as local_time
  where not hourly and local_time < today + interval '1 year' and (local_time at time zone time_zone) at time zone time_zone <> local_time;
  return jsonb_build_object('nextOccasions', next_occasions, 'skipped', coalesce(skipped, '[]'));
end
$$;
comment on function intent.describe_occasions(text, text, timestamptz) is 'What a cron expression comes to: jsonb { nextOccasions, skipped } (IN422).';
--! EndIncluded schedules/describe_occasions.sql
--! Included schedules/check_schedule_limits.sql
-- A schedule costs work for as long as it stands: how many a member may have and how close its occasions may be are limited, for each
-- tenant (set_schedule_limits). Raises IN422. Held until the transaction ends, so that two at once are counted.
create or replace function intent.check_schedule_limits(member intent.memberships, schedule_id text, read jsonb) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  limits intent.tenants;
  others bigint;
  minutes_apart integer;
begin
  select t.* into limits from intent.tenants as t where t.tenant_id = member.tenant_id;
  perform pg_advisory_xact_lock(hashtextextended(concat_ws('/', member.tenant_id, 'schedules', member.user_id), 0));
  select count(*) into others
  from intent.schedules as s
  where s.tenant_id = member.tenant_id and s.user_id = member.user_id and s.schedule_id <> check_schedule_limits.schedule_id;
  if others >= limits.schedules_per_member then
    raise exception using errcode = 'IN422', message = format('you have %s schedules, and a member may have %s: drop one first', others, limits.schedules_per_member);
  end if;
  select min(apart) into minutes_apart
  from (
    select minute - coalesce(lag(minute) over (order by minute), max(minute) over () - 1440) as apart
    from (
      select hour::integer * 60 + minute::integer as minute
      from jsonb_array_elements_text(read -> 'hours') as hour cross join jsonb_array_elements_text(read -> 'minutes') as minute
    ) as of_a_day
  ) as gaps;
  if minutes_apart < limits.schedule_minutes_apart then
    raise exception using errcode = 'IN422',
      message = format('cron: occasions are %s minutes apart, and must be %s at least', minutes_apart, limits.schedule_minutes_apart);
  end if;
end
$$;
comment on function intent.check_schedule_limits(intent.memberships, text, jsonb) is 'Refuses a schedule too many, or too frequent (IN422).';
--! EndIncluded schedules/check_schedule_limits.sql
--! Included schedules/schedule_member_command.sql
-- api.schedule_command's definer. The first occasion's command is checked as a submission would be, so that what can never be
-- sent is refused now. Raises IN403 no membership, or a type that this role does not send; IN422 malformed, never due, or over a limit.
create or replace function intent.schedule_member_command(
  schedule_id text, cron text, time_zone text, type text, aggregate_type text, aggregate_id text, payload jsonb
) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  member intent.memberships := intent.claimed_membership();
  known intent.message_types;
  sample uuid := gen_random_uuid();
  occasions jsonb;
begin
  if member.tenant_id is null then
    perform intent.refuse_entry(intent.claimed_refusal());
  end if;
  if not exists (select from pg_timezone_names as z where z.name = time_zone) then
    raise exception using errcode = 'IN422', message = 'time_zone must be an IANA name such as "Europe/Berlin"';
  elsif coalesce(schedule_id !~ '^[a-z0-9][a-z0-9-]{0,63}$', true) then
    raise exception using errcode = 'IN422', message = 'schedule_id must be 1 to 64 small letters, digits and dashes';
  end if;
  occasions := intent.describe_occasions(cron, time_zone, clock_timestamp());
  perform intent.enter_tenant(member.tenant_id);
  perform intent.check_schedule_limits(member, schedule_id, intent.read_cron(cron));
  select m.* into known from intent.message_types as m where m.type = schedule_member_command.type;
  known := intent.check_submission(
    sample, type, aggregate_type, intent.on_occasion(aggregate_id, clock_timestamp(), time_zone, sample), payload, null, null,
    known.schema_version, null);
  if not member.role = any (known.sent_by) then
    raise exception using errcode = 'IN403', message = format('your role may not send %s', known.type);
  end if;
  insert into intent.schedules as s (tenant_id, schedule_id, cron, time_zone, user_id, type, aggregate_type, aggregate_id, payload)
  values (member.tenant_id, schedule_id, cron, time_zone, member.user_id, type, aggregate_type, aggregate_id, payload)
  on conflict on constraint schedules_pkey do update
    set cron = excluded.cron, time_zone = excluded.time_zone, user_id = excluded.user_id, type = excluded.type,
        aggregate_type = excluded.aggregate_type, aggregate_id = excluded.aggregate_id, payload = excluded.payload,
        paused_because = null, changed_at = excluded.changed_at
    where s.user_id = excluded.user_id or member.role = 'owner';
  if not found then
    raise exception using errcode = 'IN403', message = 'another member has a schedule of this name';
  end if;
  return jsonb_build_object('scheduleId', schedule_id, 'cron', cron, 'timeZone', time_zone) || occasions;
end
$$;
comment on function intent.schedule_member_command(text, text, text, text, text, text, jsonb) is
  'Schedules a command of the signed-in member. Definer: people have no privilege to write schedules.';
grant execute on function intent.schedule_member_command(text, text, text, text, text, text, jsonb) to authenticated;
--! EndIncluded schedules/schedule_member_command.sql
--! Included schedules/drop_member_schedule.sql
-- api.drop_schedule's definer. Raises IN403 if there is none of this name that is the caller's to end.
create or replace function intent.drop_member_schedule(schedule_id text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  member intent.memberships := intent.claimed_membership();
begin
  if member.tenant_id is null then
    perform intent.refuse_entry(intent.claimed_refusal());
  end if;
  perform intent.enter_tenant(member.tenant_id);
  delete from intent.schedules as s
  where s.tenant_id = member.tenant_id and s.schedule_id = drop_member_schedule.schedule_id
    and (s.user_id = member.user_id or member.role = 'owner');
  if not found then
    raise exception using errcode = 'IN403', message = 'you have no schedule of this name';
  end if;
end
$$;
comment on function intent.drop_member_schedule(text) is
  'Ends a schedule of the signed-in member. Definer: people have no privilege to write schedules.';
grant execute on function intent.drop_member_schedule(text) to authenticated;
--! EndIncluded schedules/drop_member_schedule.sql
--! Included schedules/pause_schedule.sql
-- Stops a schedule that cannot run, and says why, for who looks at it. The worker calls it.
create or replace function intent.pause_schedule(tenant_id uuid, schedule_id text, because text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.enter_tenant(pause_schedule.tenant_id);
  update intent.schedules as s
  set paused_because = left(pause_schedule.because, 500), changed_at = clock_timestamp()
  where s.tenant_id = pause_schedule.tenant_id and s.schedule_id = pause_schedule.schedule_id and s.paused_because is null;
end
$$;
comment on function intent.pause_schedule(uuid, text, text) is
  'Stops a schedule that cannot run, and says why. Definer: the worker has no table privileges.';
grant execute on function intent.pause_schedule(uuid, text, text) to intent_worker;
--! EndIncluded schedules/pause_schedule.sql
--! Included schedules/occasion_id.sql
-- The id of a schedule's command for one occasion: the same whenever it is sent again, and known to nobody beforehand. A UUID of
-- version 8 (RFC 9562): the first half of a SHA-256 with the tenant's secret, which is made when it is needed first.
create or replace function intent.occasion_id(of_tenant uuid, schedule_id text, occasion timestamptz) returns uuid
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  secret uuid;
  hash bytea;
begin
  insert into intent.tenant_secrets (tenant_id) values (of_tenant) on conflict (tenant_id) do nothing;
  select s.secret into secret from intent.tenant_secrets as s where s.tenant_id = of_tenant;
  hash := sha256(convert_to(concat_ws('/', secret, of_tenant, 'schedule', schedule_id, extract(epoch from occasion)), 'utf8'));
  hash := set_byte(set_byte(hash, 6, get_byte(hash, 6) & 15 | 128), 8, get_byte(hash, 8) & 63 | 128);
  return encode(substring(hash from 1 for 16), 'hex')::uuid;
end
$$;
comment on function intent.occasion_id(uuid, text, timestamptz) is
  'The id of a schedule''s command for one occasion, derived with the tenant''s secret.';
--! EndIncluded schedules/occasion_id.sql
--! Included schedules/sent_for_occasion.sql
-- A schedule's command that was sent for the occasion already, as command_answer's JSON, or null. Its id is not believed alone: the
-- sender must be this schedule. Raises IN409 if somebody else's command has the id; the occasion is sent when an administrator has
-- mended that.
create or replace function intent.sent_for_occasion(schedule intent.schedules, occasion timestamptz, command_id uuid, sender text) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  -- As ids were derived until there was the secret: a member could know it beforehand. So only what is the schedule's in all it says
  -- counts as sent by an earlier release.
  earlier_id uuid := md5(concat_ws('/', schedule.tenant_id, 'schedule', schedule.schedule_id, extract(epoch from occasion)))::uuid;
  sent intent.commands;
begin
  select c.* into sent from intent.commands as c where c.tenant_id = schedule.tenant_id and c.command_id = command_id;
  if found and sent.cause is distinct from sender then
    raise exception using
      errcode = 'IN409',
      message = format('the command %s of another sender has the id of an occasion of the schedule %s', command_id, schedule.schedule_id),
      hint = 'Somebody knows the tenant''s secret. An administrator deletes its row of intent.tenant_secrets: then the occasion has another id, and is sent.';
  elsif not found then
    select c.* into sent
    from intent.commands as c
    where c.tenant_id = schedule.tenant_id and c.command_id = earlier_id and c.cause is null
      and c.actor_user_id = schedule.user_id and c.type = schedule.type and c.aggregate_type = schedule.aggregate_type
      and c.aggregate_id = intent.on_occasion(schedule.aggregate_id, occasion, schedule.time_zone, earlier_id)
      and c.payload = intent.on_occasion(schedule.payload::text, occasion, schedule.time_zone, earlier_id)::jsonb
      and c.expected_version is null and c.execute_at is null and c.causation_id is null and c.correlation_id = earlier_id;
  end if;
  return case when sent.command_id is not null then intent.command_as_json(sent, true) end;
end
$$;
comment on function intent.sent_for_occasion(intent.schedules, timestamptz, uuid, text) is
  'A schedule''s command that was sent for the occasion already, or null (IN409).';
--! EndIncluded schedules/sent_for_occasion.sql
--! Included schedules/submit_scheduled_command.sql
-- Sends a schedule's command for one occasion, as the member who scheduled it, with the role that it has now. The id is derived
-- from the occasion, so a repetition is the same command, also if the schedule was changed in between; and so is the second moment
-- of a time that the clock shows twice, unless the schedule runs in every hour. A schedule whose member is gone is paused. The worker
-- calls it. Returns the command, or null if there is no such schedule, or it is paused.
-- Raises IN409 if another sender's command has the occasion's id, IN422, IN429.
create or replace function intent.submit_scheduled_command(tenant_id uuid, schedule_id text, occasion timestamptz) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  schedule intent.schedules;
  member_role text;
  command_id uuid;
  -- Who sends it: this schedule, for this occasion.
  sender text;
  sent jsonb;
begin
  perform intent.enter_tenant(tenant_id);
  select s.* into schedule
  from intent.schedules as s
  where s.tenant_id = submit_scheduled_command.tenant_id and s.schedule_id = submit_scheduled_command.schedule_id and s.paused_because is null;
  if not found then
    return null;
  end if;
  select m.role into member_role
  from intent.memberships as m
  where m.tenant_id = submit_scheduled_command.tenant_id and m.user_id = schedule.user_id and m.status = 'active';
  if not found then
    perform intent.pause_schedule(tenant_id, schedule_id, 'who scheduled it is no longer a member');
    return null;
  end if;

  if not intent.runs_hourly(intent.read_cron(schedule.cron)) then
    -- One that somebody has triggered may be at a moment that the cron expression never comes to.
    occasion := coalesce((intent.moments_of(occasion at time zone schedule.time_zone, schedule.time_zone))[1], occasion);
  end if;
  sender := concat_ws(' ', 'schedule', schedule_id, intent.timestamp_as_text(occasion));
  command_id := intent.occasion_id(tenant_id, schedule_id, occasion);
  sent := intent.sent_for_occasion(schedule, occasion, command_id, sender);
  if sent is not null then
    return sent;
  end if;
  return intent.insert_command(
    tenant_id, command_id, schedule.type, schedule.aggregate_type,
    intent.on_occasion(schedule.aggregate_id, occasion, schedule.time_zone, command_id),
    intent.on_occasion(schedule.payload::text, occasion, schedule.time_zone, command_id)::jsonb,
    (select m.schema_version from intent.message_types as m where m.type = schedule.type), member_role, schedule.user_id,
    cause => sender);
end
$$;
comment on function intent.submit_scheduled_command(uuid, text, timestamptz) is
  'Sends a schedule''s command for one occasion. Definer: the worker has no table privileges.';
grant execute on function intent.submit_scheduled_command(uuid, text, timestamptz) to intent_worker;
--! EndIncluded schedules/submit_scheduled_command.sql

-- For clients.
--! Included clients/schedule_command.sql
-- Has a command sent again and again, as the signed-in member with the role that it has then. The same schedule_id again changes
-- it. aggregate_id, and texts of the payload, may hold {month}, {date} or {uuid}. The result shows the next
-- occasions, and those within a year that are skipped because summer time begins. Raises IN403, IN422.
create or replace function api.schedule_command(
  schedule_id text, cron text, type text, aggregate_type text, aggregate_id text, payload jsonb, time_zone text default 'UTC'
) returns jsonb
language sql volatile
as $$
  select intent.schedule_member_command(schedule_id, cron, time_zone, type, aggregate_type, aggregate_id, payload);
$$;
comment on function api.schedule_command(text, text, text, text, text, jsonb, text) is
  'Has a command sent again and again: jsonb { scheduleId, cron, timeZone, nextOccasions, skipped }.';
grant execute on function api.schedule_command(text, text, text, text, text, jsonb, text) to authenticated;
--! EndIncluded clients/schedule_command.sql
--! Included clients/drop_schedule.sql
-- Ends a schedule: of the signed-in member, or for an owner any. Raises IN403.
create or replace function api.drop_schedule(schedule_id text) returns void
language sql volatile
as $$
  select intent.drop_member_schedule(schedule_id);
$$;
comment on function api.drop_schedule(text) is 'Ends a schedule.';
grant execute on function api.drop_schedule(text) to authenticated;
--! EndIncluded clients/drop_schedule.sql
--! Included clients/schedules.sql
-- What recurs: a member's own, for owners all of the tenant's.
create or replace view api.schedules with (security_invoker = true) as
select s.schedule_id, s.cron, s.time_zone, s.type, s.aggregate_type, s.aggregate_id, s.payload, s.user_id, s.paused_because
from intent.schedules as s;
comment on view api.schedules is 'Commands that recur: the member''s own, for owners all of the tenant''s.';
grant select on api.schedules to authenticated;
--! EndIncluded clients/schedules.sql
--! Included clients/submit_command.sql
-- Submits a command as the signed-in member. Idempotent: the same command again returns the first one's status.
-- Raises IN403, IN409, IN422, IN429.
create or replace function api.submit_command(
  command_id uuid,
  type text,
  aggregate_type text,
  aggregate_id text,
  payload jsonb,
  expected_version bigint default null,
  correlation_id uuid default null,
  causation_id uuid default null,
  execute_at timestamptz default null,
  schema_version integer default 1,
  traceparent text default null
) returns jsonb
language sql volatile
as $$
  select intent.submit_member_command(command_id, type, aggregate_type, aggregate_id, payload, expected_version,
    correlation_id, causation_id, execute_at, schema_version, traceparent);
$$;
comment on function api.submit_command(uuid, text, text, text, jsonb, bigint, uuid, uuid, timestamptz, integer, text) is
  'Submits a command: jsonb { commandId, status, duplicate, outcome }.';
grant execute on function api.submit_command(uuid, text, text, text, jsonb, bigint, uuid, uuid, timestamptz, integer, text) to authenticated;
--! EndIncluded clients/submit_command.sql
--! Included clients/get_command.sql
-- How a command stands, for its submitter and the tenant's owners; null for others, as for one that is not there.
create or replace function api.get_command(command_id uuid) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select intent.command_as_json(c, false)
    from intent.commands as c
    where c.tenant_id = (select intent.current_tenant_id()) and c.command_id = get_command.command_id
  );
end
$$;
comment on function api.get_command(uuid) is 'A command''s status and outcome, or null: jsonb { commandId, status, duplicate, outcome }.';
grant execute on function api.get_command(uuid) to authenticated;
--! EndIncluded clients/get_command.sql
--! Included clients/hydrate.sql
-- A client's starting point: a stream and the tenant's position, of one moment. Events are those after the snapshot.
-- A long stream comes in pages, to those who ask for them: with max_events (at most 1,000) the events are the first ones, of 1 MiB at
-- most. If the last one's version is not `version`, ask again with it as after_version: the events after it, and no snapshot. State,
-- version and position are of one moment again with the last page.
-- Without max_events it is the whole stream, or IN413 if that is more than 10,000 events or 4 MiB.
create or replace function api.hydrate(
  aggregate_type text, aggregate_id text, state_version integer default null, after_version bigint default null, max_events integer default null
) returns jsonb
language sql stable
as $$
  select intent.read_member_stream(aggregate_type, aggregate_id, state_version, after_version, max_events);
$$;
comment on function api.hydrate(text, text, integer, bigint, integer) is
  'jsonb { version, position, snapshot, events }: a stream, or with max_events a page of it, and the tenant''s position at that moment.';
grant execute on function api.hydrate(text, text, integer, bigint, integer) to authenticated;
--! EndIncluded clients/hydrate.sql
--! Included clients/read_feed.sql
-- The tenant's events after a position, in commit order: what fills a client's gap. At most 1,000 at a time.
create or replace function api.read_feed(after_position bigint, max_events integer default 500) returns jsonb
language sql stable
as $$
  select intent.read_member_feed(after_position, max_events);
$$;
comment on function api.read_feed(bigint, integer) is 'jsonb { events, lastPosition, headPosition }: the tenant''s events after a position.';
grant execute on function api.read_feed(bigint, integer) to authenticated;
--! EndIncluded clients/read_feed.sql
--! Included clients/membership_log.sql
-- Who changed what about members, for owners.
create or replace view api.membership_log with (security_invoker = true) as
select l.at, l.action, l.actor_user_id, l.subject_user_id, l.details
from intent.membership_log as l;
comment on view api.membership_log is 'Every change of the tenant''s members and invitations, for its owners.';
grant select on api.membership_log to authenticated;
--! EndIncluded clients/membership_log.sql
--! Included clients/stream_as_of.sql
-- A stream's events up to a version, or up to a time, for a client to fold: the state of an aggregate as it was. Neither: all.
-- Always a prefix of the stream. Times do not step back within a tenant; they could in what was recorded before that was so, and
-- there the prefix ends before the first event of a later time.
-- `version` is that of the prefix. With max_events (at most 1,000) the events are the first ones after after_version, of 1 MiB at most:
-- more follow if the last one's version is not `version`. Without it they are all, or IN413 as in api.hydrate.
create or replace function api.stream_as_of(
  aggregate_type text, aggregate_id text, version bigint default null, "at" timestamptz default null,
  after_version bigint default null, max_events integer default null
)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid := intent.current_tenant_id();
  first_later bigint;
  last_version bigint;
  stream jsonb;
begin
  if stream_as_of.at is not null then
    select e.version into first_later
    from intent.events as e
    where e.tenant_id = tenant and e.aggregate_type = stream_as_of.aggregate_type and e.aggregate_id = stream_as_of.aggregate_id
      and e.recorded_at > stream_as_of.at
    order by e.version
    limit 1;
  end if;
  select e.version into last_version
  from intent.events as e
  where e.tenant_id = tenant and e.aggregate_type = stream_as_of.aggregate_type and e.aggregate_id = stream_as_of.aggregate_id
    and (stream_as_of.version is null or e.version <= stream_as_of.version)
    and (first_later is null or e.version < first_later)
  order by e.version desc
  limit 1;
  stream := jsonb_build_object('version', coalesce(last_version, 0), 'events', coalesce(intent.cut_page((
    select jsonb_agg(next.event order by next.version)
    from (
      select e.version, intent.event_as_json(e) as event
      from intent.events as e
      where e.tenant_id = tenant and e.aggregate_type = stream_as_of.aggregate_type and e.aggregate_id = stream_as_of.aggregate_id
        and e.version > coalesce(stream_as_of.after_version, 0) and e.version <= last_version
      order by e.version
      limit case when stream_as_of.max_events is null then 10000 else least(greatest(stream_as_of.max_events, 1), 1000) end
    ) as next
  ), case when stream_as_of.max_events is null then 4194304 else 1048576 end), '[]'));
  if stream_as_of.max_events is not null or stream_as_of.after_version >= last_version then
    return stream;
  end if;
  return intent.check_whole(stream, 'Read it in pages, with max_events and after_version.');
end
$$;
comment on function api.stream_as_of(text, text, bigint, timestamptz, bigint, integer) is 'jsonb { version, events }: a stream, or with max_events a page of it, up to a version or a time.';
grant execute on function api.stream_as_of(text, text, bigint, timestamptz, bigint, integer) to authenticated;
--! EndIncluded clients/stream_as_of.sql

reset role;
set local role intent_system;

-- The closed list of functions that span tenants.
--! Included who/spanning/claimed_membership.sql
-- The membership by which the request acts: of the user that the verified claims name, in the tenant that they name, if it is
-- active this very statement and the tenant lets such a token in (entry_refusal); else null. Policies and definers ask for it through the functions that are named after its columns,
-- or take all of it at once: it is most of what a member's call costs beyond its work.
-- STABLE, not IMMUTABLE: a cached plan must not keep another tenant. SECURITY DEFINER, by the role that spans tenants: which tenant
-- is entered does not matter, and no policy, that would have to read the claims as well, is asked.
-- It reads the claims as uuid_claim does, but both at once, and without a regular expression, whose automaton is made anew each time.
create or replace function intent.claimed_membership() returns intent.memberships
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  canonical constant text := '________-____-____-____-____________';
  given text := current_setting('request.jwt.claims', true);
  claims jsonb := case when pg_input_is_valid(given, 'jsonb') then given::jsonb end;
  tenant text := claims ->> 'tenant_id';
  member text := claims ->> 'sub';
  membership intent.memberships;
begin
  if tenant like canonical and member like canonical and translate(tenant || member, '0123456789abcdef', '') = '--------' then
    select m.* into membership
    from intent.memberships as m
    join intent.tenants as t on t.tenant_id = m.tenant_id
    where m.tenant_id = tenant::uuid and m.user_id = member::uuid and m.status = 'active'
      and intent.entry_refusal(t.requires_aal2, t.allows_oauth_clients, claims) is null;
  end if;
  return membership;
end
$$;
comment on function intent.claimed_membership() is
  'The active membership that the request claims; else null. Definer: it decides what policies decide by.';
grant execute on function intent.claimed_membership() to authenticated, intent_owner;
--! EndIncluded who/spanning/claimed_membership.sql
--! Included who/spanning/claimed_refusal.sql
-- Why claimed_membership is null: only an active member learns of a tenant's rules; all others are told that they are none. A token
-- without a tenant says by itself why the hook gave it none.
create or replace function intent.claimed_refusal() returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  claims jsonb := intent.request_claims();
begin
  return coalesce(
    (
      select intent.entry_refusal(t.requires_aal2, t.allows_oauth_clients, claims)
      from intent.memberships as m
      join intent.tenants as t on t.tenant_id = m.tenant_id
      where m.tenant_id = intent.uuid_claim('tenant_id') and m.user_id = intent.current_user_id() and m.status = 'active'
    ),
    case when not claims ? 'tenant_id' then claims ->> 'tenant_refused' end,
    'not_a_member');
end
$$;
comment on function intent.claimed_refusal() is
  'Why the request may not act in the tenant that it claims: a reason of refuse_entry. '
  'Definer: no policy shows a tenant to who may not enter it.';
grant execute on function intent.claimed_refusal() to intent_owner;
--! EndIncluded who/spanning/claimed_refusal.sql
--! Included queue/spanning/tenants_in_turn.sql
-- The tenants with due commands whose turn it is, at most `wanted`: around the ring of tenant ids, beginning behind the one
-- that was served last. A leap from tenant to tenant on the index of unclaimed commands, however many each of them has.
create or replace function intent.tenants_in_turn(moment timestamptz, wanted integer, last_served uuid) returns uuid[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Before the first: no tenant has it, and an index condition takes no null.
  nobody constant uuid := '00000000-0000-0000-0000-000000000000';
  reached uuid := last_served;
  has_wrapped boolean := last_served = nobody;
  in_turn uuid[] := '{}';
  next_tenant uuid;
  next_due_at timestamptz;
begin
  while cardinality(in_turn) < wanted loop
    select c.tenant_id, c.due_at into next_tenant, next_due_at
    from intent.commands as c
    where c.status = 'pending' and c.claimed_by is null and c.tenant_id > reached
    order by c.tenant_id, c.due_at
    limit 1;
    if found and not (has_wrapped and next_tenant > last_served and last_served <> nobody) then
      if next_due_at <= moment then
        in_turn := in_turn || next_tenant;
      end if;
      reached := next_tenant;
    elsif has_wrapped then
      exit;
    else
      has_wrapped := true;
      reached := nobody;
    end if;
  end loop;
  return in_turn;
end
$$;
comment on function intent.tenants_in_turn(timestamptz, integer, uuid) is 'The tenants with due commands whose turn it is.';
--! EndIncluded queue/spanning/tenants_in_turn.sql
--! Included queue/spanning/try_lock_aggregate.sql
-- Keeps other claims off an aggregate until the transaction ends. False if another claim is busy with it: nobody waits.
create or replace function intent.try_lock_aggregate(of_tenant uuid, of_type text, of_id text) returns boolean
language sql volatile
as $$
  select pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended(pg_catalog.concat_ws(':', of_tenant, of_type, of_id), 1));
$$;
comment on function intent.try_lock_aggregate(uuid, text, text) is 'Keeps other claims off an aggregate; false if one is busy with it.';
--! EndIncluded queue/spanning/try_lock_aggregate.sql
--! Included queue/spanning/candidates_by_leaps.sql
-- A tenant's due commands that nothing of their aggregate holds up, at most `wanted`, if the oldest of the queue are all held
-- up (thousands may wait behind one command in flight). Leaps from aggregate to aggregate, of each of which only the first open
-- command can be free: so a long queue of one aggregate costs no more than a short one. Locks what
-- it gives, and passes over what another claim is busy with.
create or replace function intent.candidates_by_leaps(of_tenant uuid, moment timestamptz, wanted integer) returns setof intent.candidate
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  reached_type text := '';
  reached_id text := '';
  first_open record;
  given integer := 0;
begin
  while given < wanted loop
    select c.aggregate_type, c.aggregate_id, c.command_id, c.claimed_by, c.due_at into first_open
    from intent.commands as c
    where c.tenant_id = of_tenant and c.status in ('pending', 'dispatched')
      and (c.aggregate_type, c.aggregate_id) > (reached_type, reached_id)
    order by c.aggregate_type, c.aggregate_id, c.due_at, c.command_id
    limit 1;
    exit when not found;
    reached_type := first_open.aggregate_type;
    reached_id := first_open.aggregate_id;
    -- A younger one can be in flight: this one's submission was committed after that claim.
    if first_open.claimed_by is null and first_open.due_at <= moment and not exists (
      select from intent.commands as other
      where other.tenant_id = of_tenant and other.aggregate_type = reached_type and other.aggregate_id = reached_id
        and other.status in ('pending', 'dispatched') and other.claimed_by is not null
    ) then
      if intent.try_lock_aggregate(of_tenant, reached_type, reached_id) then
        return next row(of_tenant, reached_type, reached_id, first_open.command_id)::intent.candidate;
        given := given + 1;
      end if;
    end if;
  end loop;
end
$$;
comment on function intent.candidates_by_leaps(uuid, timestamptz, integer) is 'A tenant''s due commands that nothing holds up, behind many that are.';
--! EndIncluded queue/spanning/candidates_by_leaps.sql
--! Included queue/spanning/candidates_of.sql
-- What may be claimed of these tenants: the first of each, then the second of each …, an equal share for each at most. Their
-- aggregates are locked until the transaction ends, and those with which another claim is busy are passed over. First among a
-- tenant's oldest that wait, in one statement for all tenants; by leaps only for those of whom that finds nothing.
create or replace function intent.candidates_of(tenants uuid[], moment timestamptz, max_commands integer) returns intent.candidate[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- One plan, by look-ups: see load_batch.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  share constant integer := ceil(max_commands::numeric / cardinality(tenants));
  look_at constant integer := share * 2 + 50;
begin
  return array(
    with turn as (
      select tenant_id, place from unnest(tenants) with ordinality as turn (tenant_id, place)
    ), oldest as materialized (
      select turn.place, free.rank, row(turn.tenant_id, free.aggregate_type, free.aggregate_id, free.command_id)::intent.candidate as candidate
      from turn
      cross join lateral (
        select c.aggregate_type, c.aggregate_id, c.command_id, row_number() over () as rank
        from (
          select c.aggregate_type, c.aggregate_id, c.command_id
          from (
            select waiting.tenant_id, waiting.aggregate_type, waiting.aggregate_id, waiting.command_id
            from intent.commands as waiting
            where waiting.tenant_id = turn.tenant_id and waiting.status = 'pending' and waiting.claimed_by is null
              and waiting.due_at <= moment
            order by waiting.due_at, waiting.command_id
            limit look_at
          ) as c
          -- It is its aggregate's first, and none of its aggregate is in flight. Look-ups with a limit: the planner would make
          -- one hashed anti join out of `not exists`, and read the whole queue for it.
          where c.command_id = (
              select first.command_id
              from intent.commands as first
              where first.tenant_id = c.tenant_id and first.aggregate_type = c.aggregate_type and first.aggregate_id = c.aggregate_id
                and first.status in ('pending', 'dispatched')
              order by first.due_at, first.command_id
              limit 1
            )
            and (
              select true
              from intent.commands as other
              where other.tenant_id = c.tenant_id and other.aggregate_type = c.aggregate_type and other.aggregate_id = c.aggregate_id
                and other.status in ('pending', 'dispatched') and other.claimed_by is not null
              limit 1
            ) is null
          -- The lock comes last: what is locked is taken.
          offset 0
        ) as c
        where intent.try_lock_aggregate(turn.tenant_id, c.aggregate_type, c.aggregate_id)
        limit share
      ) as free
    ), behind_held_up as (
      select turn.place, free.rank, free.candidate
      from turn
      cross join lateral (
        select candidate, row_number() over () as rank
        from intent.candidates_by_leaps(turn.tenant_id, moment, share) as candidate
      ) as free
      where not exists (select from oldest where oldest.place = turn.place)
    )
    select either.candidate
    from (select * from oldest union all select * from behind_held_up) as either
    order by either.rank, either.place
    limit max_commands
  );
end
$$;
comment on function intent.candidates_of(uuid[], timestamptz, integer) is 'What may be claimed of these tenants, locked, an equal share for each.';
--! EndIncluded queue/spanning/candidates_of.sql
--! Included queue/spanning/expired_claims.sql
-- Claims whose lease has ended before the command was marked, longest ago first: their pump has died or sleeps.
create or replace function intent.expired_claims(moment timestamptz, max_commands integer) returns intent.candidate[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select row(c.tenant_id, c.aggregate_type, c.aggregate_id, c.command_id)::intent.candidate
    from intent.commands as c
    where c.status = 'pending' and c.claimed_by is not null and c.claimed_until <= moment
    order by c.claimed_until
    limit max_commands
  );
end
$$;
comment on function intent.expired_claims(timestamptz, integer) is 'Claims whose lease has ended before the command was marked.';
--! EndIncluded queue/spanning/expired_claims.sql
--! Included queue/spanning/lock_candidates.sql
-- Those of the candidates whose aggregate no other claim is busy with, locked until the transaction ends; null if none.
create or replace function intent.lock_candidates(candidates intent.candidate[]) returns intent.candidate[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select array_agg(c)
    from unnest(candidates) as c
    where intent.try_lock_aggregate(c.tenant_id, c.aggregate_type, c.aggregate_id)
  );
end
$$;
comment on function intent.lock_candidates(intent.candidate[]) is 'Those of the candidates whose aggregate no other claim is busy with, locked.';
--! EndIncluded queue/spanning/lock_candidates.sql
--! Included queue/spanning/claim_commands.sql
-- Takes due commands for a pump: oldest first within an aggregate, never two of one aggregate in flight, and a turn for
-- every tenant before anybody's second. The claim is a lease on the database's clock with a fencing token.
-- Claims lock what they take and skip what another claim has locked, also when they note whose turn it was, so pumps do not wait for
-- each other.
-- Raises IN422.
create or replace function intent.claim_commands(claimed_by text, max_commands integer, lease interval)
returns table (
  tenant_id uuid, command_id uuid, aggregate_type text, aggregate_id text, type text, fencing_token bigint,
  attempts integer, correlation_id uuid, traceparent text, execution text, isolation text, fairness_weight real,
  waited_seconds double precision
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
-- One plan: see load_batch.
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  moment timestamptz := clock_timestamp();
  last_served uuid := coalesce(
    (select t.tenant_id from intent.claim_turns as t order by t.served_at desc limit 1), '00000000-0000-0000-0000-000000000000');
  tenants uuid[];
  chosen intent.candidate[];
begin
  if coalesce(max_commands, 0) not between 1 and 1000 or coalesce(lease not between '1 millisecond' and '1 hour', true) or coalesce(claimed_by, '') = '' then
    raise exception using errcode = 'IN422', message = 'claim_commands needs a name, 1 to 1,000 commands and a lease of up to an hour';
  end if;

  -- 1. Candidates, by a snapshot that may be a moment old. Claims whose lease has ended come first, as nothing else of their
  -- aggregates can be in flight, but take half of the batch at most. Then what nobody has claimed; a round of tenants in which
  -- everything is held up must not keep the next ones from their turn. One lock an aggregate keeps other claims off it.
  chosen := intent.lock_candidates(intent.expired_claims(moment, (max_commands + 1) / 2));
  for round in 1 .. 10 loop
    tenants := intent.tenants_in_turn(moment, max_commands, last_served);
    exit when tenants = '{}';
    last_served := tenants[cardinality(tenants)];
    chosen := chosen || nullif(intent.candidates_of(tenants, moment, max_commands - coalesce(cardinality(chosen), 0)), '{}');
    exit when chosen is not null or cardinality(tenants) < max_commands;
  end loop;
  if chosen is null and tenants = '{}' then
    return;
  end if;

  -- 2. With the locks held, look again: a claim that held one of them a moment ago has committed since. Look-ups with a limit, and
  -- of the row by its key alone: a planner that knows the queue as empty would read the whole index of what is open or in flight
  -- for each of them.
  return query
  with free as (
    select c.tenant_id, c.command_id
    from unnest(chosen) as candidate
    cross join lateral (
      select *
      from intent.commands as locked
      where locked.tenant_id = candidate.tenant_id and locked.command_id = candidate.command_id
      limit 1
      for update skip locked
    ) as c
    where c.status = 'pending' and (c.claimed_by is null or c.claimed_until <= moment)
      and (
        select true
        from intent.commands as other
        where other.tenant_id = candidate.tenant_id and other.aggregate_type = candidate.aggregate_type
          and other.aggregate_id = candidate.aggregate_id and other.status in ('pending', 'dispatched')
          and other.command_id <> candidate.command_id and other.claimed_by is not null
        limit 1
      ) is null
  ), claimed as (
    update intent.commands as c
    set claimed_by = claim_commands.claimed_by, claimed_until = moment + lease,
        fencing_token = c.fencing_token + 1, attempts = c.attempts + 1
    from free
    where c.tenant_id = free.tenant_id and c.command_id = free.command_id
    returning c.*
  ), free_turn as (
    select t.turn
    from intent.claim_turns as t
    where tenants <> '{}'
    order by t.served_at
    limit 1
    for update skip locked
  ), noted as (
    update intent.claim_turns as t
    set tenant_id = last_served, served_at = moment
    from free_turn
    where t.turn = free_turn.turn
    returning t.turn
  ), noted_anew as (
    insert into intent.claim_turns (tenant_id, served_at)
    select last_served, moment
    where tenants <> '{}' and not exists (select from noted)
  )
  select c.tenant_id, c.command_id, c.aggregate_type, c.aggregate_id, c.type, c.fencing_token,
    c.attempts, c.correlation_id, c.traceparent, m.execution, t.isolation, t.fairness_weight,
    extract(epoch from moment - c.due_at)::double precision
  from claimed as c
  left join intent.message_types as m on m.type = c.type
  left join intent.tenants as t on t.tenant_id = c.tenant_id
  order by c.due_at, c.command_id;
end
$$;
comment on function intent.claim_commands(text, integer, interval) is
  'Takes due commands for a pump, fairly over tenants, under a lease. '
  'Definer: the pump has no table privileges, and claims span tenants.';
grant execute on function intent.claim_commands(text, integer, interval) to intent_pump;
--! EndIncluded queue/spanning/claim_commands.sql
--! Included processes/spanning/claim_processes.sql
-- Instances of process managers that have something to do, longest due first, for a pump that wakes their workflows. Until the
-- lease ends nobody else is told of them; what still has something to do then is told again, so a workflow that was lost is
-- started again. Raises IN422.
create or replace function intent.claim_processes(claimed_by text, max_processes integer, lease interval)
returns table (tenant_id uuid, process text, key text, isolation text, fairness_weight real, correlation_id uuid)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  moment timestamptz := clock_timestamp();
begin
  if coalesce(max_processes, 0) not between 1 and 1000 or coalesce(lease not between '1 millisecond' and '1 hour', true) or coalesce(claimed_by, '') = '' then
    raise exception using errcode = 'IN422', message = 'claim_processes needs a name, 1 to 1,000 processes and a lease of up to an hour';
  end if;
  return query
  with due as (
    select p.tenant_id, p.process, p.key
    from intent.processes as p
    where p.wake_at <= moment
    order by p.wake_at
    limit max_processes
    for update skip locked
  ), claimed as (
    update intent.processes as p
    set wake_at = moment + lease
    from due
    where p.tenant_id = due.tenant_id and p.process = due.process and p.key = due.key
    returning p.tenant_id, p.process, p.key, p.correlation_id
  )
  select c.tenant_id, c.process, c.key, t.isolation, t.fairness_weight, c.correlation_id
  from claimed as c
  join intent.tenants as t on t.tenant_id = c.tenant_id;
end
$$;
comment on function intent.claim_processes(text, integer, interval) is
  'Instances of process managers that have something to do, for a pump. '
  'Definer: the pump has no table privileges, and serves all tenants.';
grant execute on function intent.claim_processes(text, integer, interval) to intent_pump;
--! EndIncluded processes/spanning/claim_processes.sql
--! Included queue/spanning/open_commands.sql
-- Commands that were dispatched longer ago than that and have no outcome: for the reconciler, which asks the engine for them.
create or replace function intent.open_commands(dispatched_before interval, max_commands integer)
returns table (tenant_id uuid, command_id uuid, type text, correlation_id uuid, traceparent text, isolation text, fairness_weight real,
  dispatched_at timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select c.tenant_id, c.command_id, c.type, c.correlation_id, c.traceparent, t.isolation, t.fairness_weight, c.dispatched_at
  from intent.commands as c
  join intent.tenants as t on t.tenant_id = c.tenant_id
  where c.status = 'dispatched' and c.dispatched_at < clock_timestamp() - dispatched_before
  order by c.dispatched_at
  limit least(greatest(max_commands, 1), 1000);
end
$$;
comment on function intent.open_commands(interval, integer) is
  'Commands that were dispatched long ago and have no outcome. '
  'Definer: the pump has no table privileges, and serves all tenants.';
grant execute on function intent.open_commands(interval, integer) to intent_pump;
--! EndIncluded queue/spanning/open_commands.sql
--! Included schedules/spanning/list_schedules.sql
-- What Temporal's schedules are kept in step with. The worker calls it.
create or replace function intent.list_schedules()
returns table (tenant_id uuid, schedule_id text, cron text, time_zone text, paused_because text, changed_at timestamptz, isolation text, fairness_weight real)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select s.tenant_id, s.schedule_id, s.cron, s.time_zone, s.paused_because, s.changed_at, t.isolation, t.fairness_weight
  from intent.schedules as s
  join intent.tenants as t on t.tenant_id = s.tenant_id;
end
$$;
comment on function intent.list_schedules() is
  'The schedules of all tenants, without what they send. '
  'Definer: the worker has no table privileges, and the schedules are of all tenants.';
grant execute on function intent.list_schedules() to intent_worker;
--! EndIncluded schedules/spanning/list_schedules.sql
--! Included feed/spanning/claim_feed.sql
-- What a subscription has not dealt with yet, of one tenant: the one whose turn it is longest. Its events in commit order, after the
-- checkpoint; until the lease ends nobody else gets them. No row if there is nothing to do. The worker calls it. Raises IN422.
create or replace function intent.claim_feed(subscription text, max_events integer, lease interval)
returns table (tenant_id uuid, fencing_token bigint, events jsonb)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  moment timestamptz := clock_timestamp();
  chosen record;
begin
  if coalesce(max_events not between 1 and 1000, true) or coalesce(lease not between '1 millisecond' and '1 hour', true)
    or coalesce(claim_feed.subscription !~ '^[a-z][a-z0-9-]{0,63}$', true)
  then
    raise exception using errcode = 'IN422', message = 'claim_feed needs a subscription such as "invoices", 1 to 1,000 events and a lease of up to an hour';
  end if;
  -- A tenant is subscribed to with its first claim. One claim at a time does so: of two with the same rows the second would wait for the
  -- first to commit.
  if exists (
    select from intent.tenants as t
    where not exists (select from intent.checkpoints as c where c.tenant_id = t.tenant_id and c.subscription = claim_feed.subscription)
  ) then
    if pg_try_advisory_xact_lock(hashtextextended(claim_feed.subscription, 2)) then
      insert into intent.checkpoints (tenant_id, subscription)
      select t.tenant_id, claim_feed.subscription
      from intent.tenants as t
      where not exists (select from intent.checkpoints as c where c.tenant_id = t.tenant_id and c.subscription = claim_feed.subscription)
      on conflict do nothing;
    end if;
  end if;

  select c.tenant_id, c.position into chosen
  from intent.checkpoints as c
  where c.subscription = claim_feed.subscription and (c.claimed_until is null or c.claimed_until <= moment)
    and exists (select from intent.events as e where e.tenant_id = c.tenant_id and e.position > c.position)
  order by c.claimed_until nulls first, c.tenant_id
  limit 1
  for update skip locked;
  if not found then
    return;
  end if;
  return query
  with claimed as (
    update intent.checkpoints as c
    set claimed_until = moment + lease, fencing_token = c.fencing_token + 1
    where c.tenant_id = chosen.tenant_id and c.subscription = claim_feed.subscription
    returning c.fencing_token
  )
  select chosen.tenant_id, claimed.fencing_token, (
    select jsonb_agg(next.event order by next.position)
    from (
      select e.position, intent.event_as_json(e) as event
      from intent.events as e
      where e.tenant_id = chosen.tenant_id and e.position > chosen.position
      order by e.position
      limit max_events
    ) as next
  )
  from claimed;
end
$$;
comment on function intent.claim_feed(text, integer, interval) is
  'What a subscription has not dealt with yet, of one tenant. '
  'Definer: the worker has no table privileges, and a subscription spans tenants.';
grant execute on function intent.claim_feed(text, integer, interval) to intent_worker;
--! EndIncluded feed/spanning/claim_feed.sql
--! Included feed/spanning/acknowledge_feed.sql
-- Moves a subscription's checkpoint on, and gives its claim back. False if the claim has passed to somebody else, or is
-- about to: then what was done since is done again. The worker calls it.
create or replace function intent.acknowledge_feed(subscription text, tenant_id uuid, fencing_token bigint, "position" bigint) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update intent.checkpoints as c
  -- Not null: the tenant goes behind those that wait longer.
  set position = greatest(c.position, acknowledge_feed."position"), claimed_until = clock_timestamp()
  from (
    select true
    from intent.checkpoints as locked
    where locked.tenant_id = acknowledge_feed.tenant_id and locked.subscription = acknowledge_feed.subscription
      and locked.fencing_token = acknowledge_feed.fencing_token
    for update skip locked
  ) as free
  where c.tenant_id = acknowledge_feed.tenant_id and c.subscription = acknowledge_feed.subscription
    and acknowledge_feed."position" <= (select max(e.position) from intent.events as e where e.tenant_id = acknowledge_feed.tenant_id);
  return found;
end
$$;
comment on function intent.acknowledge_feed(text, uuid, bigint, bigint) is
  'Moves a subscription''s checkpoint on, and gives its claim back. '
  'Definer: the worker has no table privileges, and a subscription spans tenants.';
grant execute on function intent.acknowledge_feed(text, uuid, bigint, bigint) to intent_worker;
--! EndIncluded feed/spanning/acknowledge_feed.sql
--! Included feed/spanning/skip_event.sql
-- Leaves an event that a subscriber cannot deal with in its dead letters, so that the rest goes on; acknowledge_feed goes past it.
-- The worker calls it.
create or replace function intent.skip_event(subscription text, tenant_id uuid, fencing_token bigint, "position" bigint, error jsonb) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into intent.skipped_events as s (tenant_id, subscription, position, error)
  select c.tenant_id, c.subscription, skip_event."position", coalesce(skip_event.error, '{}')
  from intent.checkpoints as c
  where c.tenant_id = skip_event.tenant_id and c.subscription = skip_event.subscription and c.fencing_token = skip_event.fencing_token
  on conflict on constraint skipped_events_pkey do update set error = excluded.error, skipped_at = excluded.skipped_at;
  return found;
end
$$;
comment on function intent.skip_event(text, uuid, bigint, bigint, jsonb) is
  'Leaves an event in a subscription''s dead letters. '
  'Definer: the worker has no table privileges, and a subscription spans tenants.';
grant execute on function intent.skip_event(text, uuid, bigint, bigint, jsonb) to intent_worker;
--! EndIncluded feed/spanning/skip_event.sql
--! Included queue/spanning/prune_commands.sql
-- Deletes commands that ended long ago, oldest first, at most max_commands, and as many entries of traces: call it again until it returns 0. The events
-- stay. A deleted command is forgotten: its id, sent again, is a new command, so the retention must be longer than any
-- client repeats (30 days at least; 90 unless told otherwise). Failed commands stay until an operator has retried them.
-- An operator, or a schedule, calls it. Raises IN422.
create or replace function intent.prune_commands(older_than interval default '90 days', max_commands integer default 10000) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  pruned integer;
  pruned_entries integer := 0;
begin
  if coalesce(older_than < '30 days' or max_commands not between 1 and 100000, true) then
    raise exception using errcode = 'IN422', message = 'prune_commands keeps at least 30 days, and takes 1 to 100,000 commands at a time';
  end if;
  delete from intent.commands as c
  using (
    select old.tenant_id, old.command_id
    from intent.commands as old
    where old.status in ('succeeded', 'rejected') and old.completed_at < clock_timestamp() - older_than
    order by old.completed_at
    limit max_commands
    for update skip locked
  ) as old
  where c.tenant_id = old.tenant_id and c.command_id = old.command_id;
  get diagnostics pruned = row_count;
  -- Somebody else who is at it deletes the same: nobody waits for that.
  if pg_try_advisory_xact_lock(hashtextextended('prune process_trace', 0)) then
    delete from intent.process_trace as p
    using (
      select old.tenant_id, old.entry_id
      from intent.process_trace as old
      where old.at < clock_timestamp() - older_than
      order by old.at
      limit max_commands
    ) as old
    where p.tenant_id = old.tenant_id and p.entry_id = old.entry_id;
    get diagnostics pruned_entries = row_count;
  end if;
  perform intent.log_operator('prune_commands', null, jsonb_build_object('olderThan', older_than, 'pruned', pruned, 'prunedEntries', pruned_entries));
  return pruned + pruned_entries;
end
$$;
comment on function intent.prune_commands(interval, integer) is
  'Deletes commands that ended long ago, and entries of traces that are as old; returns how many. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.prune_commands(interval, integer) to intent_operator;
--! EndIncluded queue/spanning/prune_commands.sql
--! Included queue/spanning/dedicated_tenants.sql
-- The tenants that have task queues of their own: the worker serves each with a Worker.
create or replace function intent.dedicated_tenants() returns setof uuid
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select tenant_id from intent.tenants where isolation = 'dedicated' and status = 'active' order by tenant_id;
$$;
comment on function intent.dedicated_tenants() is
  'The tenants that have task queues of their own. Definer: the worker has no table privileges, and it spans tenants.';
grant execute on function intent.dedicated_tenants() to intent_worker;
--! EndIncluded queue/spanning/dedicated_tenants.sql
--! Included members/spanning/create_tenant.sql
-- Creates a tenant. The same id again is silent. An operator calls it.
create or replace function intent.create_tenant(tenant_id uuid, name text, isolation text default 'shared') returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.log_operator('create_tenant', tenant_id, jsonb_build_object('name', name, 'isolation', isolation));
  insert into intent.tenants (tenant_id, name, isolation) values (tenant_id, name, isolation) on conflict do nothing;
end
$$;
comment on function intent.create_tenant(uuid, text, text) is
  'Creates a tenant; isolation: shared or dedicated. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.create_tenant(uuid, text, text) to intent_operator;
--! EndIncluded members/spanning/create_tenant.sql
--! Included queue/spanning/set_limits.sql
-- How many commands a second a tenant, and each of its users, may submit; null: no limit. An operator calls it; it holds for the
-- next submission. Raises IN404, IN422.
create or replace function intent.set_limits(tenant_id uuid, commands_per_second integer, commands_per_second_per_user integer) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if commands_per_second <= 0 or commands_per_second_per_user <= 0 then
    raise exception using errcode = 'IN422', message = 'a limit is 1 or more, or null for none';
  end if;
  perform intent.log_operator('set_limits', tenant_id, jsonb_build_object(
    'commandsPerSecond', commands_per_second, 'commandsPerSecondPerUser', commands_per_second_per_user));
  update intent.tenants as t
  set commands_per_second = set_limits.commands_per_second, commands_per_second_per_user = set_limits.commands_per_second_per_user
  where t.tenant_id = set_limits.tenant_id;
  if not found then
    raise exception using errcode = 'IN404', message = 'there is no such tenant';
  end if;
end
$$;
comment on function intent.set_limits(uuid, integer, integer) is
  'Sets how many commands a second a tenant and each of its users may submit. '
  'Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.set_limits(uuid, integer, integer) to intent_operator;
--! EndIncluded queue/spanning/set_limits.sql
--! Included doorbell/spanning/set_hint_limit.sql
-- How many hints a second, on the average of ten seconds, a tenant's members are sent over Realtime; null: one for each append. An
-- operator calls it; it holds for the next append. Raises IN404, IN422.
create or replace function intent.set_hint_limit(tenant_id uuid, hints_per_second integer) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if hints_per_second not between 1 and 1000 then
    raise exception using errcode = 'IN422', message = 'a limit of hints is from 1 to 1000 a second, or null for none';
  end if;
  perform intent.log_operator('set_hint_limit', tenant_id, jsonb_build_object('hintsPerSecond', hints_per_second));
  update intent.tenants as t set hints_per_second = set_hint_limit.hints_per_second where t.tenant_id = set_hint_limit.tenant_id;
  if not found then
    raise exception using errcode = 'IN404', message = 'there is no such tenant';
  end if;
end
$$;
comment on function intent.set_hint_limit(uuid, integer) is
  'Sets how many hints a second a tenant''s members are sent. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.set_hint_limit(uuid, integer) to intent_operator;
--! EndIncluded doorbell/spanning/set_hint_limit.sql
--! Included doorbell/spanning/announce_withheld_hints.sql
-- Tells the members of each tenant above its rate of hints, in one message without events, how far the log goes: they read the feed.
-- Pumps call it about once a second, and together send each tenant one a second at most. Nobody waits for it, nor it for an append:
-- a tenant's row stays as long as it appends. It goes 15 s after the last event: an append that found the row, and wrote none for that,
-- has committed by then, or was ended as an idle transaction.
create or replace function intent.announce_withheld_hints() returns table (hints integer, events bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  withheld record;
begin
  hints := 0;
  events := 0;
  for withheld in
    select w.tenant_id, w.announced_position, head.position, head.recorded_at
    from intent.withheld_hints as w
    cross join lateral (
      select e.position, e.recorded_at
      from intent.events as e
      where e.tenant_id = w.tenant_id
      order by e.position desc
      limit 1
    ) as head
    where w.announced_at < clock_timestamp() - interval '900 milliseconds'
    for update of w skip locked
  loop
    if withheld.position > withheld.announced_position then
      update intent.withheld_hints as w
      set announced_position = withheld.position, announced_at = clock_timestamp()
      where w.tenant_id = withheld.tenant_id;
      perform intent.send_realtime(
        jsonb_build_object('fromPosition', withheld.announced_position + 1, 'toPosition', withheld.position),
        'appended', format('tenant:%s:events', withheld.tenant_id));
      hints := hints + 1;
      events := events + withheld.position - withheld.announced_position;
    elsif withheld.recorded_at < clock_timestamp() - interval '15 seconds' then
      delete from intent.withheld_hints as w where w.tenant_id = withheld.tenant_id;
    end if;
  end loop;
  return next;
end
$$;
comment on function intent.announce_withheld_hints() is
  'Sends each tenant above its rate of hints one for all. Returns how many it sent, and of how many events they told. '
  'Definer: the pump has no table privileges, and spans tenants.';
grant execute on function intent.announce_withheld_hints() to intent_pump;
--! EndIncluded doorbell/spanning/announce_withheld_hints.sql
--! Included schedules/spanning/set_schedule_limits.sql
-- How many schedules a member of a tenant may have, and how many minutes their occasions must be apart; null: no limit. An operator
-- calls it; it holds for what is scheduled from then on. Raises IN404, IN422.
create or replace function intent.set_schedule_limits(tenant_id uuid, schedules_per_member integer, minutes_apart integer) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if schedules_per_member < 0 or minutes_apart not between 1 and 1440 then
    raise exception using errcode = 'IN422', message = 'schedules_per_member is 0 or more, minutes_apart 1 to 1440, or null for no limit';
  end if;
  perform intent.log_operator('set_schedule_limits', tenant_id, jsonb_build_object(
    'schedulesPerMember', schedules_per_member, 'minutesApart', minutes_apart));
  update intent.tenants as t
  set schedules_per_member = set_schedule_limits.schedules_per_member, schedule_minutes_apart = set_schedule_limits.minutes_apart
  where t.tenant_id = set_schedule_limits.tenant_id;
  if not found then
    raise exception using errcode = 'IN404', message = 'there is no such tenant';
  end if;
end
$$;
comment on function intent.set_schedule_limits(uuid, integer, integer) is
  'Sets how many schedules a member may have, and how many minutes occasions must be apart. '
  'Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.set_schedule_limits(uuid, integer, integer) to intent_operator;
--! EndIncluded schedules/spanning/set_schedule_limits.sql
--! Included members/spanning/set_isolation.sql
-- Gives a tenant task queues and a Worker of its own, or takes them away; and its share of shared queues that are full. An operator
-- calls it; it holds for what is dispatched from then on, without a restart. Null leaves as it is. Raises IN404, IN422.
create or replace function intent.set_isolation(tenant_id uuid, isolation text default null, fairness_weight real default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if isolation not in ('shared', 'dedicated') or fairness_weight not between 0.001 and 1000 then
    raise exception using errcode = 'IN422', message = 'isolation is shared or dedicated, fairness_weight from 0.001 to 1000';
  end if;
  perform intent.log_operator('set_isolation', tenant_id, jsonb_build_object('isolation', isolation, 'fairnessWeight', fairness_weight));
  update intent.tenants as t
  set isolation = coalesce(set_isolation.isolation, t.isolation), fairness_weight = coalesce(set_isolation.fairness_weight, t.fairness_weight)
  where t.tenant_id = set_isolation.tenant_id;
  if not found then
    raise exception using errcode = 'IN404', message = 'there is no such tenant';
  end if;
end
$$;
comment on function intent.set_isolation(uuid, text, real) is
  'Sets a tenant''s isolation, and its share of a full shared queue. '
  'Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.set_isolation(uuid, text, real) to intent_operator;
--! EndIncluded members/spanning/set_isolation.sql
--! Included members/spanning/require_owner.sql
-- The current tenant, if the signed-in user is an owner of it; with the owners locked, so that it still is one when the
-- transaction commits. Raises IN403.
create or replace function intent.require_owner() returns uuid
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid := intent.current_tenant_id();
  refusal text := case when tenant is null then intent.claimed_refusal() end;
begin
  if refusal <> 'not_a_member' then
    perform intent.refuse_entry(refusal);
  end if;
  if tenant is null or intent.current_user_id() <> all (intent.lock_owners(tenant)) then
    raise exception using errcode = 'IN403', message = 'only an owner of the tenant may do this';
  end if;
  return tenant;
end
$$;
comment on function intent.require_owner() is 'The current tenant, if the user is an owner of it; else IN403.';
--! EndIncluded members/spanning/require_owner.sql
--! Included members/spanning/add_member.sql
-- Makes a user an active member of a tenant, or changes its role. An operator calls it: a tenant's first owner comes so.
create or replace function intent.add_member(tenant_id uuid, user_id uuid, role text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.log_operator('add_member', tenant_id, jsonb_build_object('userId', user_id, 'role', role));
  perform intent.lock_owners(tenant_id);
  insert into intent.memberships as m (tenant_id, user_id, role) values (tenant_id, user_id, role)
  on conflict on constraint memberships_pkey do update set role = excluded.role, status = 'active', expires_at = null;
end
$$;
comment on function intent.add_member(uuid, uuid, text) is
  'Makes a user an active member of a tenant, with a role. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.add_member(uuid, uuid, text) to intent_operator;
--! EndIncluded members/spanning/add_member.sql
--! Included who/spanning/keep_session_tenant.sql
-- Notes that a session still makes tokens, so that its choice is not pruned. Somebody who holds the row is changing it anyway.
create or replace function intent.keep_session_tenant(session uuid) returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  update intent.session_tenants as s
  set used_at = clock_timestamp()
  where s.session_id = (
    select held.session_id from intent.session_tenants as held where held.session_id = session for update skip locked
  );
$$;
comment on function intent.keep_session_tenant(uuid) is 'Notes that a session still makes tokens of the tenant that it has switched to.';
--! EndIncluded who/spanning/keep_session_tenant.sql
--! Included who/spanning/prune_session_tenants.sql
-- Forgets what sessions chose that have made no token for 90 days, a few at a time. Each switch_tenant calls it: it removes more
-- than that adds, so the table does not grow with sessions that nobody uses any more. A session that comes back after that begins
-- with its user's oldest tenant.
create or replace function intent.prune_session_tenants() returns void
language sql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
  delete from intent.session_tenants as s
  where s.session_id = any (array(
    select old.session_id
    from intent.session_tenants as old
    where old.used_at < clock_timestamp() - interval '90 days'
    order by old.used_at
    limit 20
    for update skip locked
  ));
$$;
comment on function intent.prune_session_tenants() is 'Forgets the choices of up to 20 sessions that have made no token for 90 days.';
--! EndIncluded who/spanning/prune_session_tenants.sql
--! Included who/spanning/custom_access_token_hook.sql
-- Supabase's hook for access tokens: puts tenant_id and tenant_role into the claims. The tenant is the one that this
-- session has switched to, else the user's oldest; of those that let the token in (entry_refusal). A user without one gets neither
-- claim, also if they were given, and tenant_refused if a membership is there and its tenant does not let the token in.
-- Contract of the hook: event { user_id, claims, authentication_method } → { claims }, with every other given claim kept.
-- Auth gives it two seconds: it goes by indexes, and waits for nobody's lock.
create or replace function intent.custom_access_token_hook(event jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
-- A plan that was made while there was hardly anybody yet would read all members.
set enable_seqscan = off
as $$
declare
  claims jsonb := (event -> 'claims') - array['tenant_id', 'tenant_role', 'tenant_refused'];
  given_user text := event ->> 'user_id';
  given_session text := claims ->> 'session_id';
  member uuid := case when pg_input_is_valid(given_user, 'uuid') then given_user::uuid end;
  session uuid := case when pg_input_is_valid(given_session, 'uuid') then given_session::uuid end;
  chosen record;
begin
  select m.tenant_id, m.role, t.refusal, s.session_id is not null and s.used_at < clock_timestamp() - interval '1 day' as is_stale
  into chosen
  from intent.memberships as m
  -- Of each membership its tenant, limit 1: else a plan may begin with all tenants.
  cross join lateral (
    select of_tenant.status, intent.entry_refusal(of_tenant.requires_aal2, of_tenant.allows_oauth_clients, claims) as refusal
    from intent.tenants as of_tenant
    where of_tenant.tenant_id = m.tenant_id
    limit 1
  ) as t
  left join intent.session_tenants as s on s.session_id = session and s.user_id = m.user_id and s.tenant_id = m.tenant_id
  where m.user_id = member and m.status = 'active' and t.status = 'active'
  order by t.refusal is not null, s.session_id is null, m.created_at, m.tenant_id
  limit 1;
  if not found then
    return jsonb_build_object('claims', claims);
  elsif chosen.refusal is not null then
    return jsonb_build_object('claims', claims || jsonb_build_object('tenant_refused', chosen.refusal));
  end if;
  if chosen.is_stale then
    perform intent.keep_session_tenant(session);
  end if;
  return jsonb_build_object('claims', claims || jsonb_build_object('tenant_id', chosen.tenant_id, 'tenant_role', chosen.role));
end
$$;
comment on function intent.custom_access_token_hook(jsonb) is
  'Supabase''s access-token hook: adds tenant_id and tenant_role. '
  'Definer: Auth has no table privileges, and there is no token yet that names a tenant.';
grant execute on function intent.custom_access_token_hook(jsonb) to supabase_auth_admin;
--! EndIncluded who/spanning/custom_access_token_hook.sql
--! Included who/spanning/set_sign_in_rules.sql
-- How a token must have come about to act in a tenant: by a second factor, by a third-party OAuth client or not. Null: as it is. An
-- operator calls it; it holds for the next statement. Raises IN404.
create or replace function intent.set_sign_in_rules(tenant_id uuid, requires_aal2 boolean, allows_oauth_clients boolean) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.log_operator('set_sign_in_rules', tenant_id, jsonb_strip_nulls(jsonb_build_object(
    'requiresAal2', requires_aal2, 'allowsOauthClients', allows_oauth_clients, 'userId', intent.current_user_id())));
  update intent.tenants as t
  set requires_aal2 = coalesce(set_sign_in_rules.requires_aal2, t.requires_aal2),
      allows_oauth_clients = coalesce(set_sign_in_rules.allows_oauth_clients, t.allows_oauth_clients)
  where t.tenant_id = set_sign_in_rules.tenant_id;
  if not found then
    raise exception using errcode = 'IN404', message = 'there is no such tenant';
  end if;
end
$$;
comment on function intent.set_sign_in_rules(uuid, boolean, boolean) is
  'Sets whether a tenant requires a second factor, and allows tokens of OAuth clients. '
  'Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.set_sign_in_rules(uuid, boolean, boolean) to intent_operator;
--! EndIncluded who/spanning/set_sign_in_rules.sql
--! Included members/spanning/remove_user.sql
-- Ends all that a user has here: its memberships and invitations in every tenant, what its sessions have switched to, its schedules.
-- What it did stays in the logs. For somebody who was banned or deleted in Auth, which tells us nothing. An operator calls it.
-- A tenant keeps an owner: if the user is the last one nothing is done at all, and DETAIL names the tenants. Raises IN422.
create or replace function intent.remove_user(user_id uuid) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  belonged uuid[] := array(
    select m.tenant_id from intent.memberships as m where m.user_id = remove_user.user_id and m.status <> 'removed' order by m.tenant_id);
  -- Not if the user is only invited: see remove_member.
  told uuid[];
  tenant uuid;
  ownerless uuid[] := '{}';
  dropped integer;
begin
  -- In one order for all, as lock_owners does within a tenant.
  foreach tenant in array belonged loop
    if intent.lock_owners(tenant) = array[remove_user.user_id] then
      ownerless := ownerless || tenant;
    end if;
  end loop;
  if ownerless <> '{}' then
    raise exception using
      errcode = 'IN422',
      message = format('this user is the last owner of %s tenants: nothing was changed', cardinality(ownerless)),
      detail = jsonb_build_object('lastOwnerOf', ownerless),
      hint = 'Make somebody else an owner of each with intent.add_member, then remove the user.';
  end if;
  told := array(
    select m.tenant_id from intent.memberships as m where m.user_id = remove_user.user_id and m.status = 'active' order by m.tenant_id);
  update intent.memberships as m
  set status = 'removed', expires_at = null
  where m.tenant_id = any (belonged) and m.user_id = remove_user.user_id;
  delete from intent.session_tenants as s using intent.memberships as m
  where m.user_id = remove_user.user_id and s.tenant_id = m.tenant_id and s.user_id = m.user_id;
  delete from intent.schedules as s using intent.memberships as m
  where m.user_id = remove_user.user_id and s.tenant_id = m.tenant_id and s.user_id = m.user_id;
  get diagnostics dropped = row_count;
  perform intent.log_operator('remove_user', null, jsonb_build_object(
    'userId', remove_user.user_id, 'tenants', belonged, 'schedules', dropped));
  foreach tenant in array told loop
    perform intent.send_realtime(jsonb_build_object('userId', remove_user.user_id), 'removed', format('tenant:%s:events', tenant));
  end loop;
  return jsonb_build_object('tenants', belonged, 'schedules', dropped);
end
$$;
comment on function intent.remove_user(uuid) is
  'Ends a user''s memberships, sessions'' tenants and schedules everywhere: jsonb { tenants, schedules }. '
  'Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.remove_user(uuid) to intent_operator;
--! EndIncluded members/spanning/remove_user.sql
--! Included members/spanning/member_ids.sql
-- Who has a membership that is not over, of all tenants: what members_without_user compares with the users of Auth. Recorded.
create or replace function intent.member_ids() returns setof uuid
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.log_operator('member_ids', null);
  return query select distinct m.user_id from intent.memberships as m where m.status <> 'removed';
end
$$;
comment on function intent.member_ids() is
  'The users who have a membership or an invitation. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.member_ids() to intent_operator;
--! EndIncluded members/spanning/member_ids.sql
--! Included members/spanning/members_without_user.sql
-- Members whom Auth does not know any more: somebody has deleted the user, and not its memberships. Null if the caller may not
-- look into auth.users, which our own roles may not on a hosted project: its administrator asks. `intent doctor` calls it.
create or replace function intent.members_without_user() returns uuid[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- By the catalogue: to_regclass is refused without USAGE on the schema.
  users oid := (select c.oid from pg_class as c where c.relnamespace = to_regnamespace('auth') and c.relname = 'users');
begin
  if users is null or not has_schema_privilege('auth', 'usage') or not has_column_privilege(users, 'id', 'select')
    or row_security_active(users) then
    return null;
  end if;
  return array(
    select member from intent.member_ids() as member
    where not exists (select from auth.users as u where u.id = member)
    order by member
    limit 100
  );
end
$$;
comment on function intent.members_without_user() is
  'Up to 100 members who are no users of Auth any more; null if the caller may not read auth.users.';
grant execute on function intent.members_without_user() to intent_operator;
--! EndIncluded members/spanning/members_without_user.sql
--! Included operator/spanning/log_operator.sql
-- Leaves a record of who did what across tenants. Called by every function of the operator's.
create or replace function intent.log_operator(action text, tenant_id uuid, details jsonb default '{}') returns void
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into intent.operator_log (action, tenant_id, details) values (action, tenant_id, details);
$$;
comment on function intent.log_operator(text, uuid, jsonb) is
  'Leaves a record of who looked across tenants or changed a command. Definer: nobody but these functions may write the log.';
grant execute on function intent.log_operator(text, uuid, jsonb) to intent_owner;
--! EndIncluded operator/spanning/log_operator.sql
--! Included operator/spanning/stream.sql
-- A stream's events, for a person at a psql prompt.
create or replace function intent.stream(tenant_id uuid, aggregate_type text, aggregate_id text)
returns table (version bigint, "position" bigint, type text, payload jsonb, actor text, recorded_at timestamptz, metadata jsonb)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.log_operator('stream', stream.tenant_id,
    jsonb_build_object('aggregateType', stream.aggregate_type, 'aggregateId', stream.aggregate_id));
  return query
  select e.version, e.position, e.type, e.payload,
    coalesce(e.metadata -> 'actor' ->> 'userId', e.metadata -> 'actor' ->> 'role'), e.recorded_at, e.metadata
  from intent.events as e
  where e.tenant_id = stream.tenant_id and e.aggregate_type = stream.aggregate_type and e.aggregate_id = stream.aggregate_id
  order by e.version;
end
$$;
comment on function intent.stream(uuid, text, text) is
  'A stream''s events in order. select * from intent.stream(''<tenant>'', ''order'', ''<id>''); '
  'Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.stream(uuid, text, text) to intent_operator;
--! EndIncluded operator/spanning/stream.sql
--! Included operator/spanning/tenant_feed.sql
-- A tenant's events in commit order, at most 1,000, for a person at a psql prompt.
create or replace function intent.tenant_feed(tenant_id uuid, after_position bigint default 0)
returns table ("position" bigint, aggregate_type text, aggregate_id text, version bigint, type text, payload jsonb, recorded_at timestamptz, metadata jsonb)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.log_operator('tenant_feed', tenant_feed.tenant_id, jsonb_build_object('afterPosition', tenant_feed.after_position));
  return query
  select e.position, e.aggregate_type, e.aggregate_id, e.version, e.type, e.payload, e.recorded_at, e.metadata
  from intent.events as e
  where e.tenant_id = tenant_feed.tenant_id and e.position > tenant_feed.after_position
  order by e.position
  limit 1000;
end
$$;
comment on function intent.tenant_feed(uuid, bigint) is
  'A tenant''s events after a position, in commit order, at most 1,000. '
  'Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.tenant_feed(uuid, bigint) to intent_operator;
--! EndIncluded operator/spanning/tenant_feed.sql
--! Included operator/spanning/command_trace.sql
-- All that one request set off, in time order: commands with how they ended, the events that they made, and what process managers did
-- between an event and the next command: calls with their answers, and timers. cause is the id of the row that came directly before.
create or replace function intent.command_trace(correlation_id uuid)
returns table (
  at timestamptz, tenant_id uuid, what text, type text, aggregate_type text, aggregate_id text, status text, caused_by uuid, id text,
  cause text, process text, process_key text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.log_operator('command_trace', null, jsonb_build_object('correlationId', command_trace.correlation_id));
  return query
  -- A request's first command usually correlates with itself: it is found by its id, the others by their index.
  with commands as (
    select c.*
    from intent.commands as c
    where c.correlation_id = command_trace.correlation_id and c.correlation_id <> c.command_id
    union all
    select c.*
    from intent.tenants as t
    join intent.commands as c on c.tenant_id = t.tenant_id and c.command_id = command_trace.correlation_id
    where c.correlation_id = c.command_id
  )
  select c.submitted_at, c.tenant_id, 'command', c.type, c.aggregate_type, c.aggregate_id, c.status, c.causation_id, c.command_id::text,
    coalesce(c.cause, c.causation_id::text), c.process, c.process_key
  from commands as c
  union all
  select e.recorded_at, e.tenant_id, 'event', e.type, e.aggregate_type, e.aggregate_id, 'version ' || e.version, c.command_id,
    'position ' || e.position, c.command_id::text, null, null
  from commands as c
  join intent.events as e
    on e.tenant_id = c.tenant_id
    and e.position between (c.outcome ->> 'firstPosition')::bigint and (c.outcome ->> 'lastPosition')::bigint
  union all
  select p.at, p.tenant_id, p.what, p.name, null, null, p.status, p.causation_id, p.id, p.cause, p.process, p.key
  from intent.process_trace as p
  where p.correlation_id = command_trace.correlation_id
  order by 1, 3;
end
$$;
comment on function intent.command_trace(uuid) is
  'All that one request set off, in time order: commands, events, calls, answers and timers. '
  'Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.command_trace(uuid) to intent_operator;
--! EndIncluded operator/spanning/command_trace.sql
--! Included operator/spanning/backlog.sql
-- What waits, by tenant and status; blocked: behind another command of the same aggregate. `reaction`: what process managers have
-- not dealt with yet; `subscription …`: events that a subscriber has not.
create or replace function intent.read_backlog()
returns table (tenant_id uuid, status text, waiting bigint, oldest_submitted_at timestamptz, blocked bigint)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select c.tenant_id, c.status, count(*), min(c.submitted_at), count(*) filter (where exists (
    select from intent.commands as other
    where other.tenant_id = c.tenant_id and other.aggregate_type = c.aggregate_type and other.aggregate_id = c.aggregate_id
      and other.status in ('pending', 'dispatched') and other.command_id <> c.command_id
      and (other.claimed_by is not null or (other.due_at, other.command_id) < (c.due_at, c.command_id))
  ))
  from intent.commands as c
  where c.status in ('pending', 'dispatched')
  group by c.tenant_id, c.status
  union all
  select r.tenant_id, 'reaction', count(*), min(r.queued_at), 0
  from intent.reactions as r
  group by r.tenant_id
  union all
  select c.tenant_id, 'subscription ' || c.subscription, head.position - c.position, (
    select e.recorded_at from intent.events as e where e.tenant_id = c.tenant_id and e.position = c.position + 1
  ), 0
  from intent.checkpoints as c
  cross join lateral (select max(e.position) as position from intent.events as e where e.tenant_id = c.tenant_id) as head
  where head.position > c.position;
$$;
comment on function intent.read_backlog() is
  'What intent.backlog shows. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.read_backlog() to intent_operator;

create or replace view intent.backlog with (security_invoker = true) as select * from intent.read_backlog();
comment on view intent.backlog is 'Open commands by tenant and status, and reactions; blocked: behind another command of the aggregate.';
grant select on intent.backlog to intent_operator;
--! EndIncluded operator/spanning/backlog.sql
--! Included operator/spanning/dead_letters.sql
-- The commands that failed for good, newest first. intent.retry_command puts one back.
create or replace function intent.read_dead_letters()
returns table (tenant_id uuid, command_id uuid, type text, aggregate_type text, aggregate_id text, attempts integer, error jsonb, failed_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select c.tenant_id, c.command_id, c.type, c.aggregate_type, c.aggregate_id, c.attempts, c.error, c.completed_at
  from intent.commands as c
  where c.status = 'failed'
  order by c.completed_at desc;
$$;
comment on function intent.read_dead_letters() is
  'What intent.dead_letters shows. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.read_dead_letters() to intent_operator;

create or replace view intent.dead_letters with (security_invoker = true) as select * from intent.read_dead_letters();
comment on view intent.dead_letters is 'Commands that failed for good: select intent.retry_command(tenant_id, command_id) puts one back.';
grant select on intent.dead_letters to intent_operator;
--! EndIncluded operator/spanning/dead_letters.sql
--! Included operator/spanning/queue_figures.sql
-- How much waits over all tenants, and for how long: what pumps export as metrics beside what they count themselves. Of no tenant
-- in particular: a label for each would cost the time series database dearly, and intent.backlog tells it.
create or replace function intent.queue_figures() returns jsonb
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  with open as (
    select count(*) filter (where c.status = 'pending' and c.due_at <= clock_timestamp()) as pending,
      count(*) filter (where c.status = 'dispatched') as dispatched,
      count(*) filter (where c.status = 'pending' and c.claimed_until <= clock_timestamp()) as expired_claims,
      min(c.due_at) filter (where c.status = 'pending' and c.due_at <= clock_timestamp()) as oldest_due_at
    from intent.commands as c
    where c.status in ('pending', 'dispatched')
  ), reaction as (
    select count(*) as waiting, min(r.queued_at) as oldest_queued_at from intent.reactions as r
  )
  select jsonb_build_object(
    'pending', open.pending,
    'dispatched', open.dispatched,
    'expiredClaims', open.expired_claims,
    'oldestWaitingSeconds', coalesce(greatest(extract(epoch from clock_timestamp() - open.oldest_due_at), 0), 0),
    'deadLetters', (select count(*) from intent.commands as c where c.status = 'failed'),
    'reactions', reaction.waiting,
    'oldestReactionSeconds', coalesce(greatest(extract(epoch from clock_timestamp() - reaction.oldest_queued_at), 0), 0),
    'failedProcesses', (select count(*) from intent.processes as p where p.status = 'failed'),
    'feedLagEvents', (
      select coalesce(max((select max(e.position) from intent.events as e where e.tenant_id = c.tenant_id) - c.position), 0)
      from intent.checkpoints as c
    )
  )
  from open, reaction;
$$;
comment on function intent.queue_figures() is
  'How much waits over all tenants, and for how long, as jsonb. Definer: the pump has no table privileges, and spans tenants.';
grant execute on function intent.queue_figures() to intent_pump;
--! EndIncluded operator/spanning/queue_figures.sql
--! Included queue/spanning/unknown_commands.sql
-- Which of these commands are not here: their executions are orphans of a database that was set back. `intent orphans` asks.
create or replace function intent.unknown_commands(tenant_ids uuid[], command_ids uuid[]) returns table (tenant_id uuid, command_id uuid)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select asked.tenant_id, asked.command_id
  from unnest(tenant_ids, command_ids) as asked (tenant_id, command_id)
  where not exists (
    select from intent.commands as c where c.tenant_id = asked.tenant_id and c.command_id = asked.command_id
  );
$$;
comment on function intent.unknown_commands(uuid[], uuid[]) is
  'Which of these commands are not here. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.unknown_commands(uuid[], uuid[]) to intent_operator;
--! EndIncluded queue/spanning/unknown_commands.sql
--! Included operator/spanning/failed_processes.sql
-- The instances of process managers that were set aside, newest first. intent.retry_process has one go on.
create or replace function intent.read_failed_processes()
returns table (tenant_id uuid, process text, key text, step bigint, error jsonb, failed_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select p.tenant_id, p.process, p.key, p.step, p.error, p.failed_at
  from intent.processes as p
  where p.status = 'failed'
  order by p.failed_at desc;
$$;
comment on function intent.read_failed_processes() is
  'What intent.failed_processes shows. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.read_failed_processes() to intent_operator;

create or replace view intent.failed_processes with (security_invoker = true) as select * from intent.read_failed_processes();
comment on view intent.failed_processes is
  'Processes that a bug keeps from going on: select intent.retry_process(tenant_id, process, key) has one go on.';
grant select on intent.failed_processes to intent_operator;
--! EndIncluded operator/spanning/failed_processes.sql
--! Included feed/spanning/rewind_subscription.sql
-- Has a subscription read a tenant's feed again from behind a position: 0 for all of it. An operator calls it, after the mend of
-- what was done wrong or skipped. Raises IN404.
create or replace function intent.rewind_subscription(subscription text, tenant_id uuid, to_position bigint) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.log_operator('rewind_subscription', rewind_subscription.tenant_id,
    jsonb_build_object('subscription', rewind_subscription.subscription, 'toPosition', rewind_subscription.to_position));
  update intent.checkpoints as c
  set position = rewind_subscription.to_position, claimed_until = null, fencing_token = c.fencing_token + 1
  where c.tenant_id = rewind_subscription.tenant_id and c.subscription = rewind_subscription.subscription
    and rewind_subscription.to_position between 0 and c.position;
  if not found then
    raise exception using errcode = 'IN404', message = 'there is no such subscription of this tenant, or it has not come so far';
  end if;
  delete from intent.skipped_events as s
  where s.tenant_id = rewind_subscription.tenant_id and s.subscription = rewind_subscription.subscription
    and s.position > rewind_subscription.to_position;
end
$$;
comment on function intent.rewind_subscription(text, uuid, bigint) is
  'Has a subscription read a tenant''s feed again from behind a position. '
  'Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.rewind_subscription(text, uuid, bigint) to intent_operator;
--! EndIncluded feed/spanning/rewind_subscription.sql
--! Included feed/spanning/skipped.sql
-- The events that subscribers went past, newest first. intent.rewind_subscription has one read them again.
create or replace function intent.read_skipped()
returns table (tenant_id uuid, subscription text, "position" bigint, error jsonb, skipped_at timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select s.tenant_id, s.subscription, s.position, s.error, s.skipped_at from intent.skipped_events as s order by s.skipped_at desc;
$$;
comment on function intent.read_skipped() is
  'What intent.skipped shows. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.read_skipped() to intent_operator;

create or replace view intent.skipped with (security_invoker = true) as select * from intent.read_skipped();
comment on view intent.skipped is 'Events that subscribers could not deal with: intent.rewind_subscription has one read them again.';
grant select on intent.skipped to intent_operator;
--! EndIncluded feed/spanning/skipped.sql
--! Included doctor/spanning/doctor_server.sql
-- A server that is too old, as after a restore onto another one. src/local/served-server.ts refuses to migrate there.
create or replace function intent.doctor_server() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'server not served', format('PostgreSQL %s', current_setting('server_version')), 'it lacks what our functions call',
    'Move the database to PostgreSQL 17 or later.'
  where current_setting('server_version_num')::integer < 170000;
$$;
comment on function intent.doctor_server() is 'What intent.doctor finds in the server''s version.';
--! EndIncluded doctor/spanning/doctor_server.sql
--! Included read-models/spanning/has_events.sql
-- Whether any tenant has an event: a read model that comes before them needs no filling.
create or replace function intent.has_events() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from intent.events);
$$;
comment on function intent.has_events() is 'Whether any tenant has an event. Definer: it looks at all tenants, for the migrations, and tells no more than that.';
grant execute on function intent.has_events() to intent_owner;
--! EndIncluded read-models/spanning/has_events.sql
--! Included doctor/spanning/read_model_names.sql
-- The tables of the app's read models; none if the list of them is gone, which doctor_tables says.
create or replace function intent.read_model_names() returns setof text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select m.read_model from intent.read_models as m;
exception when undefined_table then
  return;
end
$$;
comment on function intent.read_model_names() is 'The tables of the app''s read models.';
--! EndIncluded doctor/spanning/read_model_names.sql
--! Included doctor/spanning/doctor_tables.sql
-- Tables of ours that are gone, and walls that are down: row-level security, tenant walls, privileges to change the log.
-- Tables are a closed list, so that a renamed or detached one shows; a test compares it with the catalogue.
create or replace function intent.doctor_tables() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with expected (name) as (
    select unnest(array[
      'checkpoints', 'claim_turns', 'commands', 'events', 'membership_log', 'memberships',
      'message_types', 'operator_log', 'process_events', 'process_trace', 'processes', 'reactions', 'read_models', 'schedules', 'session_tenants',
      'skipped_events', 'snapshots', 'submission_counts', 'tenant_secrets', 'tenants', 'withheld_hints'
    ])
    union
    select intent.read_model_names()
  ), ours as (
    select c.oid, format('intent.%I', c.relname) as name, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.relacl
    from pg_class as c
    where c.relnamespace = to_regnamespace('intent') and c.relkind in ('r', 'p')
  )
  select 'table missing', 'intent.' || expected.name, 'it was dropped, renamed or moved to another schema',
    'Undo the renaming, or restore the table from a backup. Until then the log and the queue are not examined.'
  from expected
  where not exists (select from ours where ours.relname = expected.name)
  union all
  select 'row-level security off', ours.name,
    format('enabled: %s, forced: %s', ours.relrowsecurity, ours.relforcerowsecurity),
    format('alter table %s enable row level security; alter table %s force row level security;', ours.name, ours.name)
  from ours
  where not (ours.relrowsecurity and ours.relforcerowsecurity)
  union all
  select 'tenant wall missing', ours.name, 'people may read it, and no restrictive policy keeps them to what is theirs',
    format('Run the file of its policies again: %s.sql below sql/fixtures/.', ours.relname)
  from ours
  where has_table_privilege('authenticated', ours.oid, 'select')
    and not exists (
      select from pg_policy as p
      where p.polrelid = ours.oid and not p.polpermissive and to_regrole('authenticated') = any (p.polroles)
    )
  union all
  select 'doctor is blind', ours.name, 'no policy lets intent_system read it, so its rows are not examined',
    format('Run sql/fixtures/policies/%s.sql again.', ours.relname)
  from ours
  where ours.relname in ('commands', 'events', 'snapshots')
    and not exists (
      select from pg_policy as p
      where p.polrelid = ours.oid and p.polpermissive and p.polcmd in ('r', '*')
        and to_regrole('intent_system') = any (p.polroles)
    )
  union all
  select 'log can be changed', ours.name, format('%s has the privilege %s', acl.grantee::regrole, acl.privilege_type),
    format('revoke %s on %s from %s;', acl.privilege_type, ours.name, acl.grantee::regrole)
  from ours
  cross join lateral aclexplode(coalesce(ours.relacl, acldefault('r', ours.relowner))) as acl
  where ours.relname = 'events' and acl.privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE');
$$;
comment on function intent.doctor_tables() is 'What intent.doctor finds in tables, policies and privileges.';
--! EndIncluded doctor/spanning/doctor_tables.sql
--! Included doctor/spanning/doctor_triggers.sql
-- Triggers that are missing, disabled or not what they were. The guards of the log must be ENABLE ALWAYS, and refuse what they
-- refused at first: their definition is compared.
create or replace function intent.doctor_triggers() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with expected (on_table, name, guard, remedy) as (
    values
      ('events', 'append_only',
        'BEFORE DELETE OR UPDATE ON intent.events FOR EACH ROW EXECUTE FUNCTION intent.refuse_change()', 'log/refuse_change'),
      ('events', 'never_emptied',
        'BEFORE TRUNCATE ON intent.events FOR EACH STATEMENT EXECUTE FUNCTION intent.refuse_change()', 'log/refuse_change'),
      ('membership_log', 'append_only',
        'BEFORE DELETE OR UPDATE ON intent.membership_log FOR EACH ROW EXECUTE FUNCTION intent.refuse_change()',
        'members/record_membership_change'),
      ('membership_log', 'never_emptied',
        'BEFORE TRUNCATE ON intent.membership_log FOR EACH STATEMENT EXECUTE FUNCTION intent.refuse_change()',
        'members/record_membership_change'),
      ('memberships', 'record_insert', null, 'members/record_membership_change'),
      ('memberships', 'record_change', null, 'members/record_membership_change'),
      ('memberships', 'keep_an_owner', null, 'members/keep_an_owner'),
      ('memberships', 'keep_an_owner_at_delete', null, 'members/keep_an_owner'),
      ('commands', 'ring_doorbell', null, 'doorbell/ring_doorbell'),
      ('commands', 'ring_doorbell_again', null, 'doorbell/ring_doorbell'),
      ('commands', 'queue_outcome', null, 'processes/queue_outcome'),
      ('events', 'queue_reactions', null, 'app/process_events_rows'),
      ('reactions', 'ring_doorbell', null, 'processes/queue_reaction'),
      ('commands', 'broadcast_outcome', null, 'doorbell/broadcast_outcome')
    union
    select 'events', m.trigger_name, null, format('app/…/%s', m.trigger_name)
    from intent.read_models as m
  ), compared as (
    select
      format('%s on intent.%s', e.name, e.on_table) as object,
      format('Run sql/fixtures/%s.sql again.', e.remedy) as remedy,
      case
        when t.oid is null then 'trigger missing'
        when t.tgenabled in ('D', 'R') then 'trigger disabled'
        when e.guard is not null and t.tgenabled <> 'A' then 'trigger not always on'
        when e.guard is not null and pg_get_triggerdef(t.oid) <> format('CREATE TRIGGER %s %s', e.name, e.guard)
          then 'trigger altered'
      end as problem,
      case when e.guard is null then 'what it guards or keeps up to date does not hold'
        else 'what is recorded can be changed or deleted' end as detail
    from expected as e
    left join pg_trigger as t
      on t.tgrelid = to_regclass('intent.' || e.on_table) and t.tgname = e.name and not t.tgisinternal
  )
  select compared.problem, compared.object, compared.detail, compared.remedy
  from compared
  where compared.problem is not null;
$$;
comment on function intent.doctor_triggers() is 'What intent.doctor finds in triggers.';
--! EndIncluded doctor/spanning/doctor_triggers.sql
--! Included doctor/spanning/doctor_roles.sql
-- Roles that policies do not bind any more, or that may do what only the owner's functions may.
create or replace function intent.doctor_roles() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with bound (name) as (
    values ('intent_owner'), ('intent_system'), ('intent_pump'), ('intent_worker'), ('intent_operator'),
      ('authenticated'), ('anon')
  )
  select 'role missing', bound.name, 'nothing of ours works without it', 'Run the migrations again.'
  from bound
  where to_regrole(bound.name) is null
  union all
  select 'role above the policies', r.rolname,
    concat_ws(', ', case when r.rolsuper then 'superuser' end, case when r.rolbypassrls then 'bypassrls' end),
    format('alter role %I nosuperuser nobypassrls;', r.rolname)
  from bound
  join pg_roles as r on r.rolname = bound.name
  where r.rolsuper or r.rolbypassrls
  union all
  select 'owner can log in', r.rolname, 'whoever has its password can set any tenant', format('alter role %I nologin;', r.rolname)
  from pg_roles as r
  where r.rolname in ('intent_owner', 'intent_system') and r.rolcanlogin
  union all
  select 'role acts as an owner', member.rolname, format('it is a member of %s', owner.rolname),
    format('revoke %I from %I;', owner.rolname, member.rolname)
  from pg_auth_members as m
  join pg_roles as owner on owner.oid = m.roleid and owner.rolname in ('intent_owner', 'intent_system')
  join pg_roles as member on member.oid = m.member and member.rolname in (select bound.name from bound)
  union all
  select 'role may hold its locks for ever', r.rolname, 'a session that hangs in a transaction is never ended',
    format('alter role %I set idle_in_transaction_session_timeout = ''5s'';', r.rolname)
  from pg_roles as r
  where r.rolname in ('authenticator', 'intent_pump', 'intent_worker') and not exists (
    select from pg_db_role_setting as s
    where s.setrole = r.oid and s.setdatabase = 0 and array_to_string(s.setconfig, ',') like '%idle_in_transaction_session_timeout=%'
  );
$$;
comment on function intent.doctor_roles() is 'What intent.doctor finds in roles.';
--! EndIncluded doctor/spanning/doctor_roles.sql
--! Included doctor/spanning/doctor_settings.sql
-- Settings of roles and of the database under which ours do not work, or work without their guards. Set for a session they do not show:
-- worker and pump look at theirs by themselves, and say so at /readyz.
create or replace function intent.doctor_settings() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with needed (name, value) as (
    values ('default_transaction_isolation', 'read committed'), ('row_security', 'on'), ('idle_session_timeout', '0'), ('search_path', 'pg_catalog')
  ), role (id, name) as (
    select r.oid, r.rolname from pg_roles as r where r.rolname in ('intent_pump', 'intent_worker', 'intent_operator')
  ), given as (
    select s.setdatabase, s.setrole, split_part(setting, '=', 1) as name, substr(setting, strpos(setting, '=') + 1) as value
    from pg_db_role_setting as s
    cross join unnest(s.setconfig) as setting
    where s.setdatabase in (0, (select d.oid from pg_database as d where d.datname = current_database()))
  )
  select 'role without a setting that it needs', role.name::text, format('%s is not %s for it, so the database decides', needed.name, needed.value),
    format('alter role %I set %I = %L;', role.name, needed.name, needed.value)
  from role
  cross join needed
  where not exists (select from given as g where g.setrole = role.id and g.setdatabase = 0 and (g.name, g.value) = (needed.name, needed.value))
  union all
  select 'role with a setting that it cannot have', role.name::text, format('%s is %s for it in this database', g.name, g.value),
    format('alter role %I in database %I reset %I;', role.name, current_database(), g.name)
  from given as g
  join role on role.id = g.setrole
  join needed on needed.name = g.name and needed.value <> g.value
  where g.setdatabase <> 0
  union all
  select 'database is read-only', coalesce(to_jsonb(role.name) #>> '{}', 'database ' || current_database()),
    'transactions begin read-only, so that commands are neither taken nor executed',
    case
      when g.setrole = 0 then format('alter database %I reset default_transaction_read_only;', current_database())
      when g.setdatabase = 0 then format('alter role %I reset default_transaction_read_only;', role.name)
      else format('alter role %I in database %I reset default_transaction_read_only;', role.name, current_database())
    end
  from given as g
  left join role on role.id = g.setrole
  where g.name = 'default_transaction_read_only' and g.value in ('on', 'true', 'yes', '1') and (g.setrole = 0 or role.id is not null)
  union all
  select 'triggers and policies are off', 'database ' || current_database(), format('%s is %s for all its sessions', g.name, g.value),
    format('alter database %I reset %I;', current_database(), g.name)
  from given as g
  where g.setrole = 0 and ((g.name = 'session_replication_role' and g.value <> 'origin') or (g.name = 'row_security' and g.value in ('off', 'false', 'no', '0')));
$$;
comment on function intent.doctor_settings() is 'What intent.doctor finds in settings of roles and of the database.';
--! EndIncluded doctor/spanning/doctor_settings.sql
--! Included doctor/spanning/doctor_collations.sql
-- Indexes whose order is somebody else's: that of the operating system's C library or of ICU, which changes with their version.
-- Ours compare text as bytes. Those of the platform and of an application do not, and are corrupt after such a change: they
-- miss rows that are there, and let in what is there already.
create or replace function intent.doctor_collations() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with changed (collation_id, name, was, now, refreshed_by) as (
    select '"default"'::regcollation::oid, format('database %I', d.datname), d.datcollversion,
      pg_database_collation_actual_version(d.oid), format('alter database %I refresh collation version;', d.datname)
    from pg_database as d
    where d.datname = current_database()
    union all
    select c.oid, format('collation %s', c.oid::regcollation), c.collversion, pg_collation_actual_version(c.oid),
      format('alter collation %s refresh version;', c.oid::regcollation)
    from pg_collation as c
    where c.collversion is not null
  ), indexes as (
    select i.indexrelid, i.indrelid, i.indcollation::oid[] as collations
    from pg_index as i
    join pg_class as c on c.oid = i.indexrelid
    where c.relkind = 'i' and c.relpersistence <> 't'
  ), dependent as (
    select changed.name, count(*) as indexes, string_agg(i.indexrelid::regclass::text, ', ' order by i.indexrelid) as names,
      string_agg(format('reindex index concurrently %s;', i.indexrelid::regclass), ' ' order by i.indexrelid) as remedy
    from changed
    join indexes as i on changed.collation_id = any (i.collations)
    group by changed.name
  )
  select 'collation has changed', changed.name,
    format('its version was %s and is %s; %s', changed.was, changed.now,
      coalesce(format('%s indexes may be corrupt: %s', dependent.indexes, dependent.names), 'no index depends on it')),
    concat_ws(' ', dependent.remedy, changed.refreshed_by)
  from changed
  left join dependent on dependent.name = changed.name
  where changed.was <> changed.now and (dependent.indexes > 0 or changed.collation_id = '"default"'::regcollation)
  union all
  select 'index depends on a collation', i.indexrelid::regclass::text, 'another version of the C library or of ICU can corrupt it',
    format('Give its text columns `collate "C"`: alter table %s alter column … type text collate "C";', i.indrelid::regclass)
  from indexes as i
  join pg_class as c on c.oid = i.indrelid
  where c.relnamespace = to_regnamespace('intent') and not i.collations <@ array[0, 'pg_catalog."C"'::regcollation]::oid[];
$$;
comment on function intent.doctor_collations() is 'What intent.doctor finds in collations, and in the indexes that depend on them.';
--! EndIncluded doctor/spanning/doctor_collations.sql
--! Included doctor/spanning/doctor_slots.sql
-- Replication slots that nobody reads: the WAL that they keep fills the disk, and a full disk refuses every write.
create or replace function intent.doctor_slots() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'slot keeps WAL', 'replication slot ' || s.slot_name,
    format('nobody reads it, and %s of WAL are kept for it', pg_size_pretty(pg_current_wal_lsn() - s.restart_lsn)),
    format('Start its reader, or, if there is none any more: select pg_drop_replication_slot(%L);', s.slot_name)
  from pg_replication_slots as s
  -- A standby has no position of its own to write at.
  where not pg_is_in_recovery() and not s.active and pg_current_wal_lsn() - s.restart_lsn > 512 * 1024 ^ 2;
$$;
comment on function intent.doctor_slots() is 'What intent.doctor finds in replication slots.';
--! EndIncluded doctor/spanning/doctor_slots.sql
--! Included doctor/spanning/doctor_log.sql
-- Holes in the log, and snapshots that are ahead of it. Positions and versions are unique, so that the lowest, the highest and
-- their number tell whether all are there: two index-only scans and one probe for each snapshot.
create or replace function intent.doctor_log() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'positions with holes', 'tenant ' || e.tenant_id,
    format('%s events at the positions %s to %s', count(*), min(e.position), max(e.position)),
    'Events were removed past the triggers. Compare with a backup: select * from intent.tenant_feed(…);'
  from intent.events as e
  group by e.tenant_id
  having count(*) <> max(e.position) or min(e.position) <> 1
  union all
  select 'versions with holes', format('%s %s of tenant %s', e.aggregate_type, e.aggregate_id, e.tenant_id),
    format('%s events with the versions %s to %s', count(*), min(e.version), max(e.version)),
    'Events were removed or moved past the triggers. Compare the stream with a backup: select * from intent.stream(…);'
  from intent.events as e
  group by e.tenant_id, e.aggregate_type, e.aggregate_id
  having count(*) <> max(e.version) or min(e.version) <> 1
  union all
  select 'snapshot ahead of its stream', format('%s %s of tenant %s', s.aggregate_type, s.aggregate_id, s.tenant_id),
    format('taken at version %s, the stream is at version %s', s.version, coalesce(head.version, 0)),
    'It is not used. Delete it from intent.snapshots, and find out which events are gone.'
  from intent.snapshots as s
  left join lateral (
    select e.version
    from intent.events as e
    where e.tenant_id = s.tenant_id and e.aggregate_type = s.aggregate_type and e.aggregate_id = s.aggregate_id
    order by e.version desc
    limit 1
  ) as head on true
  where s.version > coalesce(head.version, 0);
$$;
comment on function intent.doctor_log() is 'What intent.doctor finds in events and snapshots.';
--! EndIncluded doctor/spanning/doctor_log.sql
--! Included doctor/spanning/doctor_queue.sql
-- Commands that nobody goes on with, and successes that the log knows nothing of: one line a tenant, with an example.
-- The join by the log's key alone, its hash in memory, and no JIT take at most half the time of what else was tried.
create or replace function intent.doctor_queue() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
set jit = off
set work_mem = '64MB'
as $$
  select 'claims not taken over', 'tenant ' || c.tenant_id,
    format('%s leases ended more than a minute ago, the first at %s; command %s',
      count(*), intent.timestamp_as_text(min(c.claimed_until)), (array_agg(c.command_id order by c.claimed_until))[1]),
    'No pump is claiming: look whether one runs, and at its /readyz.'
  from intent.commands as c
  where c.status = 'pending' and c.claimed_until < clock_timestamp() - interval '1 minute'
  group by c.tenant_id
  union all
  select 'dispatched without an outcome', 'tenant ' || c.tenant_id,
    format('%s commands for more than 15 minutes, the first since %s; command %s',
      count(*), intent.timestamp_as_text(min(c.dispatched_at)), (array_agg(c.command_id order by c.dispatched_at))[1]),
    'Look at the workflow <tenant>/command/<command>, whether a worker serves its task queue, and at the workers'' /readyz: it says so if they wait for a newer release.'
  from intent.commands as c
  where c.status = 'dispatched' and c.dispatched_at < clock_timestamp() - interval '15 minutes'
  group by c.tenant_id
  union all
  select 'success without its events', 'tenant ' || c.tenant_id,
    format('%s commands; command %s', count(*), (array_agg(c.command_id order by c.completed_at))[1]),
    'The log is not the one that these commands were settled with: compare both with a backup of one moment.'
  from intent.commands as c
  left join intent.events as e on e.tenant_id = c.tenant_id and e.position = (c.outcome ->> 'lastPosition')::bigint
  where c.status = 'succeeded'
    and (e.aggregate_type, e.aggregate_id, e.version)
      is distinct from (c.aggregate_type, c.aggregate_id, (c.outcome ->> 'lastVersion')::bigint)
  group by c.tenant_id;
$$;
comment on function intent.doctor_queue() is 'What intent.doctor finds in commands.';
--! EndIncluded doctor/spanning/doctor_queue.sql
--! Included doctor/spanning/doctor_hints.sql
-- Hints that cannot be sent, found by trying. Not stable: what it tries is a write.
create or replace function intent.doctor_hints() returns table (problem text, object text, detail text, remedy text)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select 'clients are not told', 'realtime.send(jsonb, text, text, boolean)',
    format('%s; the log is whole, and clients see what is new when they read the feed', tried.fault),
    format('As who may: grant usage on schema realtime to %1$I; grant execute on function realtime.send(jsonb, text, text, boolean) to %1$I; '
      'grant insert on realtime.messages to %1$I; then run the migrations again.',
      coalesce((select pg_get_userbyid(p.proowner) from pg_proc as p where p.oid = to_regprocedure('intent.broadcast(jsonb, text, text)')), 'intent_owner'))
  from (select intent.hint_fault() as fault) as tried
  where tried.fault is not null;
$$;
comment on function intent.doctor_hints() is 'What intent.doctor finds when it tries to send a hint.';
--! EndIncluded doctor/spanning/doctor_hints.sql
--! Included doctor/spanning/doctor_read_models.sql
-- Read models that lack the events of before they were there.
create or replace function intent.doctor_read_models() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'read model not filled', 'intent.' || m.read_model, 'rows that older events make are missing, or behind', 'Run `intent migrate`: it goes on where it was.'
  from intent.read_models as m
  where m.filled_at is null;
$$;
comment on function intent.doctor_read_models() is 'What intent.doctor finds in read models.';
--! EndIncluded doctor/spanning/doctor_read_models.sql
--! Included doctor/spanning/doctor.sql
-- What is out of order, with what to do about it; no row when all is well. For an operator, and `intent doctor`.
-- It reads the whole log and every settled command: about 10 s for a million of each on two busy cores, without a lock that
-- anybody waits for. Once an hour is often enough.
-- If it cannot look, because a table is gone or hidden from it, it says that, and nothing that would not be true.
create or replace function intent.doctor() returns table (problem text, object text, detail text, remedy text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
-- A guard's text is compared with what it should be.
set quote_all_identifiers = off
as $$
begin
  return query select * from intent.doctor_server();
  if found then
    return;
  end if;
  return query select * from intent.doctor_tables();
  if exists (select from intent.doctor_tables() as t where t.problem in ('table missing', 'doctor is blind')) then
    return;
  end if;
  perform intent.log_operator('doctor', null);
  return query
  select * from intent.doctor_triggers()
  union all
  select * from intent.doctor_roles()
  union all
  select * from intent.doctor_settings()
  union all
  select * from intent.doctor_collations()
  union all
  select * from intent.doctor_slots()
  union all
  select * from intent.doctor_log()
  union all
  select * from intent.doctor_queue()
  union all
  select * from intent.doctor_hints()
  union all
  select * from intent.doctor_read_models();
end
$$;
comment on function intent.doctor() is
  'What is out of order, and what to do; empty when all is well. select * from intent.doctor(); '
  'Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.doctor() to intent_operator;
--! EndIncluded doctor/spanning/doctor.sql
--! Included doctor/spanning/blocked_commands.sql
-- What each waiting command waits for: the one of its aggregate that is in flight, else the one before it.
create or replace function intent.read_blocked_commands()
returns table (tenant_id uuid, command_id uuid, type text, aggregate_type text, aggregate_id text, due_at timestamptz, blocked_by uuid, blocked_by_status text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select c.tenant_id, c.command_id, c.type, c.aggregate_type, c.aggregate_id, c.due_at, other.command_id, other.status
  from intent.commands as c
  cross join lateral (
    select o.command_id, o.status
    from intent.commands as o
    where o.tenant_id = c.tenant_id and o.aggregate_type = c.aggregate_type and o.aggregate_id = c.aggregate_id
      and o.status in ('pending', 'dispatched') and o.command_id <> c.command_id
      and (o.claimed_by is not null or (o.due_at, o.command_id) < (c.due_at, c.command_id))
    order by o.claimed_by is null, o.due_at desc, o.command_id desc
    limit 1
  ) as other
  where c.status = 'pending' and c.due_at <= clock_timestamp();
$$;
comment on function intent.read_blocked_commands() is
  'What intent.blocked_commands shows. Definer: an operator has no table privileges, and spans tenants.';
grant execute on function intent.read_blocked_commands() to intent_operator;

create or replace view intent.blocked_commands with (security_invoker = true) as select * from intent.read_blocked_commands();
comment on view intent.blocked_commands is 'Due commands that wait for another one of their aggregate, and for which.';
grant select on intent.blocked_commands to intent_operator;
--! EndIncluded doctor/spanning/blocked_commands.sql
--! Included clients/spanning/my_tenants.sql
-- The tenants that the signed-in user may switch to. A definer, because policies show it one tenant at a time. One that asks for a
-- second factor which this session has not got is there, with the reason; one that does not let this application in is not.
create or replace function api.my_tenants() returns jsonb
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(
    jsonb_strip_nulls(jsonb_build_object('tenantId', t.tenant_id, 'name', t.name, 'role', m.role, 'refusedBecause', r.refusal))
    order by m.created_at, t.tenant_id), '[]')
  from intent.memberships as m
  join intent.tenants as t on t.tenant_id = m.tenant_id
  cross join lateral (
    select intent.entry_refusal(t.requires_aal2, t.allows_oauth_clients, (select intent.request_claims())) as refusal
  ) as r
  where m.user_id = intent.current_user_id() and m.status = 'active' and t.status = 'active'
    and r.refusal is distinct from 'client_not_allowed';
$$;
comment on function api.my_tenants() is
  'The user''s tenants: jsonb [{ tenantId, name, role, refusedBecause }], the last only if this session may not enter the tenant. '
  'Definer: people see one tenant at a time.';
grant execute on function api.my_tenants() to authenticated;
--! EndIncluded clients/spanning/my_tenants.sql
--! Included clients/spanning/switch_tenant.sql
-- Chooses the tenant of this session's next token; other sessions of the user keep theirs. Refresh the token afterwards.
-- Raises IN403 if the user is no member, whether or not the tenant exists, or the tenant does not let this token in.
create or replace function api.switch_tenant(tenant_id uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session uuid := intent.uuid_claim('session_id');
  refusal text;
begin
  select intent.entry_refusal(t.requires_aal2, t.allows_oauth_clients, intent.request_claims()) into refusal
  from intent.memberships as m
  join intent.tenants as t on t.tenant_id = m.tenant_id
  where m.tenant_id = switch_tenant.tenant_id and m.user_id = intent.current_user_id() and m.status = 'active' and t.status = 'active';
  if session is null or not found then
    perform intent.refuse_entry('not_a_member');
  elsif refusal is not null then
    perform intent.refuse_entry(refusal);
  end if;
  perform intent.prune_session_tenants();
  insert into intent.session_tenants as s (session_id, user_id, tenant_id)
  values (session, intent.current_user_id(), switch_tenant.tenant_id)
  on conflict (session_id) do update set tenant_id = excluded.tenant_id, chosen_at = clock_timestamp(), used_at = clock_timestamp()
    where s.user_id = excluded.user_id;
end
$$;
comment on function api.switch_tenant(uuid) is
  'Chooses the tenant of this session''s next token. '
  'Definer: people see one tenant at a time, and write no table.';
grant execute on function api.switch_tenant(uuid) to authenticated;
--! EndIncluded clients/spanning/switch_tenant.sql
--! Included clients/spanning/members.sql
-- Who belongs to the current tenant; owners see who is invited, too. A definer: a policy on memberships that showed a tenant's
-- rows would have to ask for the tenant, which is read from memberships.
create or replace function api.members() returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'userId', m.user_id, 'role', m.role, 'status', m.status, 'expiresAt', intent.timestamp_as_text(m.expires_at))
      order by m.created_at, m.user_id), '[]')
    from intent.memberships as m
    where m.tenant_id = intent.current_tenant_id()
      and (m.status = 'active' or (m.status = 'invited' and intent.current_role_in_tenant() = 'owner'))
  );
end
$$;
comment on function api.members() is
  'The tenant''s members: jsonb [{ userId, role, status, expiresAt }]. Definer: policies show people their own memberships only.';
grant execute on function api.members() to authenticated;
--! EndIncluded clients/spanning/members.sql
--! Included clients/spanning/invite_member.sql
-- Invites a user, by its id, to the current tenant; or renews the invitation. It becomes a member by accept_invitation.
-- Responds alike whether or not there is such a user. Raises IN403 no owner, IN422 malformed, or a member already.
create or replace function api.invite_member(user_id uuid, role text, valid_for interval default '7 days') returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  tenant uuid := intent.require_owner();
  expires timestamptz := clock_timestamp() + valid_for;
begin
  if user_id is null or coalesce(role, '') not in ('owner', 'member', 'guest') then
    raise exception using errcode = 'IN422', message = 'an invitation needs a user_id, and a role: owner, member or guest';
  elsif coalesce(valid_for not between '1 minute' and '30 days', true) then
    raise exception using errcode = 'IN422', message = 'an invitation is valid for 1 minute to 30 days';
  end if;
  insert into intent.memberships as m (tenant_id, user_id, role, status, invited_by, expires_at)
  values (tenant, user_id, role, 'invited', intent.current_user_id(), expires)
  on conflict on constraint memberships_pkey do update
    set role = excluded.role, status = 'invited', invited_by = excluded.invited_by, expires_at = excluded.expires_at
    where m.status <> 'active';
  if not found then
    raise exception using errcode = 'IN422', message = 'this user is a member already', hint = 'Its role changes by change_role.';
  end if;
  return jsonb_build_object('userId', user_id, 'role', role, 'expiresAt', intent.timestamp_as_text(expires));
end
$$;
comment on function api.invite_member(uuid, text, interval) is
  'An owner invites a user: jsonb { userId, role, expiresAt }. Definer: people write no table.';
grant execute on function api.invite_member(uuid, text, interval) to authenticated;
--! EndIncluded clients/spanning/invite_member.sql
--! Included clients/spanning/my_invitations.sql
-- The open invitations of the signed-in user. A definer: no policy shows a tenant to somebody who is not a member yet.
create or replace function api.my_invitations() returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'tenantId', t.tenant_id, 'name', t.name, 'role', m.role, 'invitedBy', m.invited_by,
      'expiresAt', intent.timestamp_as_text(m.expires_at)) order by m.expires_at, t.tenant_id), '[]')
    from intent.memberships as m
    join intent.tenants as t on t.tenant_id = m.tenant_id
    where m.user_id = intent.current_user_id() and m.status = 'invited' and m.expires_at > clock_timestamp() and t.status = 'active'
      and intent.entry_refusal(t.requires_aal2, t.allows_oauth_clients, intent.request_claims()) is distinct from 'client_not_allowed'
  );
end
$$;
comment on function api.my_invitations() is
  'The user''s open invitations: jsonb [{ tenantId, name, role, invitedBy, expiresAt }]. '
  'Definer: no policy shows a tenant to somebody who is not a member yet.';
grant execute on function api.my_invitations() to authenticated;
--! EndIncluded clients/spanning/my_invitations.sql
--! Included clients/spanning/accept_invitation.sql
-- Makes the invited user a member. Its next token still names its former tenant: switch_tenant, then refresh the session.
-- Raises IN403 if no invitation of this user is open, whether or not the tenant exists, or the tenant does not let this token in.
create or replace function api.accept_invitation(tenant_id uuid) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  accepted record;
  refusal text;
begin
  select intent.entry_refusal(t.requires_aal2, t.allows_oauth_clients, intent.request_claims()) into refusal
  from intent.memberships as m
  join intent.tenants as t on t.tenant_id = m.tenant_id
  where m.tenant_id = accept_invitation.tenant_id and m.user_id = intent.current_user_id()
    and m.status = 'invited' and m.expires_at > clock_timestamp() and t.status = 'active';
  if refusal is not null then
    perform intent.refuse_entry(refusal);
  end if;
  update intent.memberships as m
  set status = 'active', expires_at = null
  from intent.tenants as t
  where m.tenant_id = accept_invitation.tenant_id and m.user_id = intent.current_user_id()
    and m.status = 'invited' and m.expires_at > clock_timestamp()
    and t.tenant_id = m.tenant_id and t.status = 'active'
  returning t.tenant_id, t.name, m.role into accepted;
  if not found then
    raise exception using
      errcode = 'IN403',
      message = 'there is no open invitation to this tenant',
      hint = 'Ask an owner of the tenant for a new one.';
  end if;
  return jsonb_build_object('tenantId', accepted.tenant_id, 'name', accepted.name, 'role', accepted.role);
end
$$;
comment on function api.accept_invitation(uuid) is
  'The invited user becomes a member: jsonb { tenantId, name, role }. Definer: people write no table.';
grant execute on function api.accept_invitation(uuid) to authenticated;
--! EndIncluded clients/spanning/accept_invitation.sql
--! Included clients/spanning/change_role.sql
-- Changes a member's role, from its next statement on. Raises IN403 no owner, IN422 no member, or the last owner.
create or replace function api.change_role(user_id uuid, role text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid := intent.require_owner();
begin
  if coalesce(change_role.role, '') not in ('owner', 'member', 'guest') then
    raise exception using errcode = 'IN422', message = 'a role is owner, member or guest';
  end if;
  update intent.memberships as m
  set role = change_role.role
  where m.tenant_id = tenant and m.user_id = change_role.user_id and m.status = 'active';
  if not found then
    raise exception using errcode = 'IN422', message = 'this user is no member of the tenant';
  end if;
end
$$;
comment on function api.change_role(uuid, text) is
  'An owner changes a member''s role. Definer: people write no table.';
grant execute on function api.change_role(uuid, text) to authenticated;
--! EndIncluded clients/spanning/change_role.sql
--! Included clients/spanning/remove_member.sql
-- Ends a membership, or withdraws an invitation: an owner of anybody, everybody its own. From the next statement on nothing of
-- the tenant is seen; a realtime channel that is open lives until its next token, so the removal is told to clients. An invitation
-- that is withdrawn is not: it has opened no channel, and only owners see who is invited.
-- Raises IN403 no owner, IN422 no member, or the last owner.
create or replace function api.remove_member(user_id uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid := case
    when remove_member.user_id = intent.current_user_id() then intent.current_tenant_id()
    else intent.require_owner()
  end;
  refusal text := case when tenant is null then intent.claimed_refusal() end;
  former text;
begin
  if refusal <> 'not_a_member' then
    perform intent.refuse_entry(refusal);
  end if;
  perform intent.lock_owners(tenant);
  select m.status into former
  from intent.memberships as m
  where m.tenant_id = tenant and m.user_id = remove_member.user_id and m.status <> 'removed'
  for update;
  if not found then
    raise exception using errcode = 'IN422', message = 'this user is no member of the tenant';
  end if;
  update intent.memberships as m
  set status = 'removed', expires_at = null
  where m.tenant_id = tenant and m.user_id = remove_member.user_id;
  if former = 'active' then
    perform intent.send_realtime(jsonb_build_object('userId', remove_member.user_id), 'removed', format('tenant:%s:events', tenant));
  end if;
end
$$;
comment on function api.remove_member(uuid) is
  'An owner removes a member, or a member leaves. Definer: people write no table.';
grant execute on function api.remove_member(uuid) to authenticated;
--! EndIncluded clients/spanning/remove_member.sql
--! Included clients/spanning/set_sign_in_rules.sql
-- An owner sets how members must sign in to act in the tenant; null: as it is. It holds for the next statement of everybody, so
-- an owner has the second factor itself before it asks for one; and no third-party client says who may come in.
-- Raises IN403 no owner, or a token that may not do this.
create or replace function api.set_sign_in_rules(requires_aal2 boolean default null, allows_oauth_clients boolean default null) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid := intent.require_owner();
  refusal text := intent.entry_refusal(coalesce(requires_aal2, false), false, intent.request_claims());
begin
  if refusal is not null then
    perform intent.refuse_entry(refusal);
  end if;
  if requires_aal2 is not null or allows_oauth_clients is not null then
    perform intent.set_sign_in_rules(tenant, requires_aal2, allows_oauth_clients);
  end if;
  return (
    select jsonb_build_object('requiresAal2', t.requires_aal2, 'allowsOauthClients', t.allows_oauth_clients)
    from intent.tenants as t
    where t.tenant_id = tenant
  );
end
$$;
comment on function api.set_sign_in_rules(boolean, boolean) is
  'An owner sets whether the tenant asks for a second factor, and lets OAuth clients in: jsonb { requiresAal2, allowsOauthClients }. '
  'Definer: people write no table.';
grant execute on function api.set_sign_in_rules(boolean, boolean) to authenticated;
--! EndIncluded clients/spanning/set_sign_in_rules.sql

reset role;

-- On a table of the platform: needs the migrating role itself.
--! Included platform/broadcast.sql
-- Calls realtime.send, for intent.send_realtime and intent.hint_fault. Definer: people and logins may not insert broadcasts. Its owner
-- depends on the platform (docs/adr/0016), so the migrating role itself makes it: it is intent_owner if that has, or can be given,
-- all that realtime.send needs, which runs with its caller's rights; else the migrating role, which cannot pass on what it has.
-- Nothing is granted that has not been found to be grantable: PostgreSQL would only warn.
create or replace function intent.broadcast(payload jsonb, event text, topic text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  ignored text;
begin
  ignored := realtime.send(payload, event, topic, true);
end
$$;
comment on function intent.broadcast(jsonb, text, text) is
  'Sends one private broadcast over Supabase Realtime. Definer: people and logins may not insert broadcasts.';

do $$
declare
  send constant regprocedure := to_regprocedure('realtime.send(jsonb, text, text, boolean)');
  owns_messages constant boolean :=
    pg_has_role(current_user, (select relowner from pg_class where oid = 'realtime.messages'::regclass), 'usage');
  sender name := 'intent_owner';
begin
  if (has_schema_privilege('intent_owner', 'realtime', 'usage') or has_schema_privilege('realtime', 'usage with grant option'))
    and (has_function_privilege('intent_owner', send, 'execute') or has_function_privilege(send, 'execute with grant option'))
    and (has_table_privilege('intent_owner', 'realtime.messages', 'insert') or owns_messages)
  then
    if not has_schema_privilege('intent_owner', 'realtime', 'usage') then
      grant usage on schema realtime to intent_owner;
    end if;
    if not has_function_privilege('intent_owner', send, 'execute') then
      grant execute on function realtime.send(jsonb, text, text, boolean) to intent_owner;
    end if;
    if not has_table_privilege('intent_owner', 'realtime.messages', 'insert') then
      grant insert on realtime.messages to intent_owner;
    end if;
  else
    sender := current_user;
  end if;
  execute format('alter function intent.broadcast(jsonb, text, text) owner to %I', sender);
  drop policy if exists intent_owner_sends on realtime.messages;
  execute format('create policy intent_owner_sends on realtime.messages for insert to %I with check (true)', sender);
end
$$;
-- After the owner: who gives a function away loses what it had as its owner.
revoke execute on function intent.broadcast(jsonb, text, text) from public;
grant execute on function intent.broadcast(jsonb, text, text) to intent_owner, intent_system;
--! EndIncluded platform/broadcast.sql
--! Included platform/realtime_messages.sql
-- Who may join which private channel, and be present there. Realtime tests these policies as the user: at each join and each new
-- token by a row of that topic, one for each extension, and at the first `track` by an insert. All is rolled back. The row's own
-- topic is compared as well: a channel of one's own shows no message of another one.
-- Broadcasts have no insert policy for users: only intent.broadcast sends, by the policy intent_owner_sends.
drop policy if exists intent_members_listen on realtime.messages;
create policy intent_members_listen on realtime.messages for select to authenticated
  using (
    extension = 'broadcast'
    and topic = (select realtime.topic())
    and topic in (
      'tenant:' || (select intent.current_tenant_id())::text || ':events',
      'tenant:' || (select intent.current_tenant_id())::text || ':user:' || (select intent.current_user_id())::text
    )
  );

-- On the tenant's channel members see who is there, and show themselves. What they say of themselves nobody checks.
drop policy if exists intent_members_see_presence on realtime.messages;
create policy intent_members_see_presence on realtime.messages for select to authenticated
  using (
    extension = 'presence'
    and topic = (select realtime.topic())
    and topic = 'tenant:' || (select intent.current_tenant_id())::text || ':events'
  );
drop policy if exists intent_members_are_present on realtime.messages;
create policy intent_members_are_present on realtime.messages for insert to authenticated
  with check (
    extension = 'presence'
    and topic = (select realtime.topic())
    and topic = 'tenant:' || (select intent.current_tenant_id())::text || ':events'
  );
--! EndIncluded platform/realtime_messages.sql

-- The Data API keeps what it knows of schema api until it is told. Supabase does so after each statement; elsewhere nobody would.
notify pgrst, 'reload schema';
--! EndIncluded behaviour.sql
