-- State. Every key begins with the tenant; nothing here is global but the catalogue of message types.
set local role intent_owner;

create table if not exists intent.tenants (
  tenant_id uuid primary key,
  name text not null check (length(name) between 1 and 200),
  isolation text not null default 'shared' check (isolation in ('shared', 'dedicated')),
  status text not null default 'active' check (status in ('active', 'suspended')),
  commands_per_second integer check (commands_per_second > 0),
  created_at timestamptz not null default clock_timestamp()
);
comment on table intent.tenants is 'The units of isolation; in the example domain, households.';
comment on column intent.tenants.isolation is 'dedicated: the tenant has task queues and a Worker of its own.';
comment on column intent.tenants.commands_per_second is 'Submissions allowed in a second (IN429 above); null: no limit.';

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
comment on column intent.memberships.expires_at is 'When an invitation lapses; null: never.';
create index if not exists memberships_user on intent.memberships (user_id);

create table if not exists intent.session_tenants (
  session_id uuid primary key,
  user_id uuid not null,
  tenant_id uuid not null,
  chosen_at timestamptz not null default clock_timestamp(),
  foreign key (tenant_id, user_id) references intent.memberships (tenant_id, user_id)
);
comment on table intent.session_tenants is 'The tenant that a session of a user has switched to: the claim of its next token.';
create index if not exists session_tenants_membership on intent.session_tenants (tenant_id, user_id);

create table if not exists intent.message_types (
  type text primary key check (type ~ '^[A-Z][A-Za-z0-9]*$' and length(type) <= 100),
  aggregate_type text not null,
  aggregate_id_pattern text not null,
  sent_by text[] not null,
  schema_version integer not null check (schema_version > 0),
  execution text not null check (execution in ('temporal', 'inline'))
);
comment on table intent.message_types is 'The commands that the domain knows, generated from its registry (npm run generate).';
comment on column intent.message_types.sent_by is 'Roles that may send it; system: never a person.';
comment on column intent.message_types.schema_version is 'The newest version of the payload''s schema; older ones are upcast.';

create table if not exists intent.commands (
  tenant_id uuid not null,
  command_id uuid not null,
  aggregate_type text not null,
  aggregate_id text not null,
  type text not null,
  schema_version integer not null,
  payload jsonb not null,
  actor_user_id uuid,
  actor_role text not null check (actor_role in ('owner', 'member', 'guest', 'system')),
  correlation_id uuid not null,
  causation_id uuid,
  expected_version bigint,
  execute_at timestamptz,
  request_hash bytea not null,
  status text not null default 'pending' check (status in ('pending', 'dispatched', 'succeeded', 'rejected', 'failed')),
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
  primary key (tenant_id, command_id),
  check ((status in ('succeeded', 'rejected', 'failed')) = (completed_at is not null)),
  check ((status in ('succeeded', 'rejected', 'failed')) = (outcome is not null))
);
comment on table intent.commands is 'Requests to change something, and how each ended: the queue and its archive.';
comment on column intent.commands.actor_user_id is 'Who sent it, set by the database; null: the system.';
comment on column intent.commands.actor_role is 'The membership''s role at submission, set by the database.';
comment on column intent.commands.expected_version is 'The version that the client decided on; null: any.';
comment on column intent.commands.execute_at is 'Not before this moment; null: at once.';
comment on column intent.commands.due_at is 'Order within an aggregate, and when a claim may take it.';
comment on column intent.commands.request_hash is 'SHA-256 of submitter and content: tells a repeated request from a reused id.';
comment on column intent.commands.claimed_by is 'The pump that has it in flight; stays until the command is settled.';
comment on column intent.commands.claimed_until is 'End of the claim''s lease, on the database''s clock.';
comment on column intent.commands.fencing_token is 'Raised by each claim; a report with an older one is refused.';
comment on column intent.commands.outcome is 'For the client. The shape depends on the status.';
comment on column intent.commands.error is 'For the operator: why it was dead-lettered.';

-- The open commands only, so that claims stay fast however many are settled.
create index if not exists commands_waiting on intent.commands (tenant_id, due_at, command_id) where status = 'pending';
create index if not exists commands_open_of_aggregate
  on intent.commands (tenant_id, aggregate_type, aggregate_id, due_at, command_id) where status in ('pending', 'dispatched');
-- Never two commands of one aggregate in flight, whatever the claiming code does.
create unique index if not exists commands_one_in_flight
  on intent.commands (tenant_id, aggregate_type, aggregate_id)
  where claimed_by is not null and status in ('pending', 'dispatched');
create index if not exists commands_correlation on intent.commands (correlation_id);
create index if not exists commands_failed on intent.commands (tenant_id, completed_at) where status = 'failed';

create table if not exists intent.claim_turns (
  only_row boolean primary key default true check (only_row),
  tenant_id uuid not null
);
comment on table intent.claim_turns is 'The tenant that was served last: the next claim begins behind it, so that nobody starves.';

create table if not exists intent.submission_counts (
  tenant_id uuid primary key,
  counted_second timestamptz not null,
  submissions integer not null
) with (fillfactor = 50);
comment on table intent.submission_counts is 'Submissions in the current second, for tenants with a limit only.';

create table if not exists intent.events (
  tenant_id uuid not null,
  position bigint not null,
  aggregate_type text not null,
  aggregate_id text not null,
  version bigint not null,
  type text not null,
  schema_version integer not null,
  payload jsonb not null,
  metadata jsonb not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, position),
  unique (tenant_id, aggregate_type, aggregate_id, version)
);
comment on table intent.events is 'The facts. Appended by intent.append_events only; never changed, never deleted.';
comment on column intent.events.position is 'The event''s place in its tenant''s history: 1, 2, 3 …, contiguous, in commit order.';
comment on column intent.events.version is 'The event''s place in its stream: 1, 2, 3 …';
comment on column intent.events.metadata is 'commandId, correlationId, causationId, actor, traceparent.';

create table if not exists intent.snapshots (
  tenant_id uuid not null,
  aggregate_type text not null,
  aggregate_id text not null,
  version bigint not null check (version > 0),
  state_version integer not null,
  state jsonb not null,
  taken_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, aggregate_type, aggregate_id)
);
comment on table intent.snapshots is 'The newest cached state of a stream. Derived: any row may be deleted at any time.';
comment on column intent.snapshots.state_version is 'Changes with evolve or the state''s shape; a snapshot of another one is not used.';

create table if not exists intent.reactions (
  tenant_id uuid not null,
  process text not null,
  key text not null,
  sequence bigint not null,
  message jsonb not null,
  queued_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, process, key, sequence)
);
comment on table intent.reactions is 'Events, outcomes and answers queued for process managers.';

create table if not exists intent.processes (
  tenant_id uuid not null,
  process text not null,
  key text not null,
  state jsonb not null,
  state_version integer not null,
  last_position bigint not null,
  status text not null check (status in ('open', 'done')),
  next_timer timestamptz,
  primary key (tenant_id, process, key)
);
comment on table intent.processes is 'The state of each process manager.';

create table if not exists intent.checkpoints (
  tenant_id uuid not null,
  subscription text not null,
  position bigint not null default 0 check (position >= 0),
  primary key (tenant_id, subscription)
);
comment on table intent.checkpoints is 'How far each asynchronous subscriber has read.';

create table if not exists intent.operator_log (
  entry_id uuid primary key default gen_random_uuid(),
  asked_at timestamptz not null default clock_timestamp(),
  asked_by text not null default session_user,
  action text not null,
  tenant_id uuid,
  details jsonb not null default '{}'
);
comment on table intent.operator_log is 'Who looked across tenants or changed a command, and when.';

create table if not exists intent.orders (
  tenant_id uuid not null,
  order_id text not null,
  budget_id text not null,
  status text not null
    check (status in ('awaiting_approval', 'placed', 'confirmed', 'rejected', 'cancelled', 'delivered')),
  total bigint not null,
  placed_by uuid not null,
  version bigint not null,
  position bigint not null,
  primary key (tenant_id, order_id)
);
comment on table intent.orders is 'Read model of the slice order, kept in the append''s transaction.';
comment on column intent.orders.total is 'Cents.';

create table if not exists intent.budgets (
  tenant_id uuid not null,
  budget_id text not null,
  name text not null,
  spending_limit bigint not null,
  reserved bigint not null default 0,
  spent bigint not null default 0,
  version bigint not null,
  position bigint not null,
  primary key (tenant_id, budget_id)
);
comment on table intent.budgets is 'Read model of the slice budget, kept in the append''s transaction. Amounts in cents.';

create table if not exists intent.budget_shares (
  tenant_id uuid not null,
  budget_id text not null,
  order_id text not null,
  reserved bigint not null default 0,
  spent bigint not null default 0,
  primary key (tenant_id, budget_id, order_id)
);
comment on table intent.budget_shares is 'What each order has reserved and spent of a budget: a release names the order only.';

reset role;
