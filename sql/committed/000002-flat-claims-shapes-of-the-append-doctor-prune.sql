--! Previous: sha1:58066076977dadb12294a2c7bd69e597ea6833ae
--! Hash: sha1:4581b1cd193a03c9deadcc3b751113d8c4bd8560
--! Message: flat claims, shapes of the append, doctor, prune

--! split: 1-current.sql
-- A migration must not queue behind a long transaction, with everybody behind it: better to fail, and try again later.
set local lock_timeout = '500ms';
set local statement_timeout = '60s';

-- What append_events and its kin answer with, before each gives it its own shape.
set local role intent_owner;
do $$
begin
  if to_regtype('intent.append_result') is null then
    create type intent.append_result as (
      first_version bigint, last_version bigint, first_position bigint, last_position bigint, duplicate boolean, conflicting_version bigint
    );
    comment on type intent.append_result is 'Where an append has put its events; or the version that conflicts with the expected one.';
  end if;
end
$$;
-- Its work is done by try_append.
drop function if exists intent.explain_refusal(uuid, text, text, bigint, jsonb);

-- Unclaimed commands and claimed ones that are not marked yet are looked for apart: the first by tenant and age, the second by
-- the end of the lease. So rows that are in flight cost a claim nothing.
-- Not concurrently: a migration is one transaction, and there is no release yet whose tables could be large.
-- squawk-ignore require-concurrent-index-creation
create index if not exists commands_unclaimed on intent.commands (tenant_id, due_at, command_id)
  where status = 'pending' and claimed_by is null;
-- squawk-ignore require-concurrent-index-creation
create index if not exists commands_claimed on intent.commands (claimed_until) where status = 'pending' and claimed_by is not null;
-- squawk-ignore require-concurrent-index-deletion
drop index if exists intent.commands_waiting;

-- For prune_commands.
-- squawk-ignore require-concurrent-index-creation
create index if not exists commands_ended on intent.commands (completed_at) where status in ('succeeded', 'rejected');

-- The queue's rows are updated three times in a second of life: vacuum must come by the number of dead rows, not by a share
-- of an archive that grows.
alter table intent.commands set (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000
);
reset role;

--! Included behaviour.sql
-- Every function, trigger, policy, view and grant. Each file can be run again; a later migration that changes any of
-- them includes this file once more.

set local role intent_owner;

-- Who is asking, and for which tenant.
--! Included intent/request_claims.sql
-- The verified claims of the request, as PostgREST and Realtime set them; null where there are none or they are not JSON.
-- In plpgsql, like everything here that the planner cannot inline: a session keeps its plans.
create or replace function intent.request_claims() returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  claims text := current_setting('request.jwt.claims', true);
begin
  return case when pg_input_is_valid(claims, 'jsonb') then claims::jsonb end;
end
$$;
comment on function intent.request_claims() is 'The verified claims of the request; null where missing or malformed.';
grant execute on function intent.request_claims() to authenticated, intent_system;
--! EndIncluded intent/request_claims.sql
--! Included intent/uuid_claim.sql
-- A claim that must be a uuid in its canonical form; anything else is as good as missing.
create or replace function intent.uuid_claim(name text) returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  claim jsonb := intent.request_claims() -> name;
  value text := claim #>> '{}';
begin
  return case when jsonb_typeof(claim) = 'string' and pg_input_is_valid(value, 'uuid') and value = value::uuid::text then value::uuid end;
end
$$;
comment on function intent.uuid_claim(text) is 'A claim of the request as a uuid; null where missing or not in canonical form.';
grant execute on function intent.uuid_claim(text) to authenticated, intent_system;
--! EndIncluded intent/uuid_claim.sql
--! Included intent/current_user_id.sql
-- The signed-in user: the subject of the verified claims; null where nobody is signed in.
create or replace function intent.current_user_id() returns uuid
language sql stable
as $$
  select intent.uuid_claim('sub');
$$;
comment on function intent.current_user_id() is 'The signed-in user''s id; null where nobody is signed in.';
grant execute on function intent.current_user_id() to authenticated, intent_system;
--! EndIncluded intent/current_user_id.sql
--! Included intent/current_tenant_id.sql
-- The tenant that policies for people compare with: the claimed one, if the user's membership is active this very statement.
-- Null means no tenant: no rows, never an error. (Our own functions have intent.entered_tenant_id instead.)
-- STABLE, not IMMUTABLE: a cached plan must not keep another tenant. SECURITY DEFINER: the look-up has a policy of its own.
create or replace function intent.current_tenant_id() returns uuid
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select m.tenant_id
    from intent.memberships as m
    where m.tenant_id = intent.uuid_claim('tenant_id') and m.user_id = intent.current_user_id() and m.status = 'active'
  );
end
$$;
comment on function intent.current_tenant_id() is 'The tenant that the request claims, if the user is an active member of it; else null.';
grant execute on function intent.current_tenant_id() to authenticated, intent_system;
--! EndIncluded intent/current_tenant_id.sql
--! Included intent/enter_tenant.sql
-- The tenant that a definer function works for, until its transaction ends: what the owner's policies compare with.
-- Only definer functions call this; a login that sets the variable by hand gains nothing, since it has no table privileges.
create or replace function intent.enter_tenant(tenant_id uuid) returns text
language sql volatile
as $$
  select pg_catalog.set_config('intent.tenant_id', coalesce(tenant_id::text, ''), true);
$$;
comment on function intent.enter_tenant(uuid) is 'Sets the tenant of this transaction for the owner''s policies.';
--! EndIncluded intent/enter_tenant.sql
--! Included intent/entered_tenant_id.sql
-- nullif: a setting that was local to an earlier transaction reads as '' and not as null. Inlined into the policies.
create or replace function intent.entered_tenant_id() returns uuid
language sql stable
as $$
  select nullif(pg_catalog.current_setting('intent.tenant_id', true), '')::uuid;
$$;
comment on function intent.entered_tenant_id() is 'The tenant that a definer function has entered in this transaction.';
--! EndIncluded intent/entered_tenant_id.sql
--! Included intent/current_role_in_tenant.sql
-- The signed-in user's role in the current tenant, from the membership's row and not from the claim.
create or replace function intent.current_role_in_tenant() returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select m.role
    from intent.memberships as m
    where m.tenant_id = intent.uuid_claim('tenant_id') and m.user_id = intent.current_user_id() and m.status = 'active'
  );
end
$$;
comment on function intent.current_role_in_tenant() is 'The user''s role in the current tenant; null where it has none.';
grant execute on function intent.current_role_in_tenant() to authenticated;
--! EndIncluded intent/current_role_in_tenant.sql

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
  using (true);
grant select on intent.tenants to authenticated;

-- For claims, the token hook, my_tenants and create_tenant.
drop policy if exists system_reads on intent.tenants;
create policy system_reads on intent.tenants for select to intent_system using (true);
drop policy if exists system_creates on intent.tenants;
create policy system_creates on intent.tenants for insert to intent_system with check (true);
grant select, insert on intent.tenants to intent_system;
--! EndIncluded policies/tenants.sql
--! Included policies/memberships.sql
-- Users see their own memberships. These policies must not call current_tenant_id(), which reads this table.
alter table intent.memberships enable row level security;
alter table intent.memberships force row level security;

drop policy if exists owner_looks_up on intent.memberships;
create policy owner_looks_up on intent.memberships for select to intent_owner
  using (user_id = (select intent.current_user_id()) or tenant_id = intent.entered_tenant_id());

drop policy if exists users_read_their_own on intent.memberships;
create policy users_read_their_own on intent.memberships for select to authenticated
  using (user_id = (select intent.current_user_id()));
grant select on intent.memberships to authenticated;

-- For the token hook, my_tenants, switch_tenant and add_member.
drop policy if exists system_reads on intent.memberships;
create policy system_reads on intent.memberships for select to intent_system using (true);
drop policy if exists system_adds on intent.memberships;
create policy system_adds on intent.memberships for insert to intent_system with check (true);
drop policy if exists system_changes on intent.memberships;
create policy system_changes on intent.memberships for update to intent_system using (true) with check (true);
grant select, insert on intent.memberships to intent_system;
grant update (role, status) on intent.memberships to intent_system;
--! EndIncluded policies/memberships.sql
--! Included policies/session_tenants.sql
-- Only my_tenants, switch_tenant and the token hook touch it.
alter table intent.session_tenants enable row level security;
alter table intent.session_tenants force row level security;

drop policy if exists system_keeps on intent.session_tenants;
create policy system_keeps on intent.session_tenants to intent_system using (true) with check (true);
grant select, insert, update on intent.session_tenants to intent_system;
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
  using (actor_user_id = (select intent.current_user_id()) or (select intent.current_role_in_tenant()) = 'owner');
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

drop policy if exists members_read on intent.events;
create policy members_read on intent.events for select to authenticated
  using (true);
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
  using (true);
grant select on intent.snapshots to authenticated;

-- For doctor.
drop policy if exists system_reads on intent.snapshots;
create policy system_reads on intent.snapshots for select to intent_system using (true);
grant select on intent.snapshots to intent_system;
--! EndIncluded policies/snapshots.sql
--! Included policies/reactions.sql
-- Only the owner's functions touch it.
alter table intent.reactions enable row level security;
alter table intent.reactions force row level security;

drop policy if exists owner_in_tenant on intent.reactions;
create policy owner_in_tenant on intent.reactions to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());
--! EndIncluded policies/reactions.sql
--! Included policies/processes.sql
-- Only the owner's functions touch it.
alter table intent.processes enable row level security;
alter table intent.processes force row level security;

drop policy if exists owner_in_tenant on intent.processes;
create policy owner_in_tenant on intent.processes to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());
--! EndIncluded policies/processes.sql
--! Included policies/checkpoints.sql
-- Only the owner's functions touch it.
alter table intent.checkpoints enable row level security;
alter table intent.checkpoints force row level security;

drop policy if exists owner_in_tenant on intent.checkpoints;
create policy owner_in_tenant on intent.checkpoints to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());
--! EndIncluded policies/checkpoints.sql
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
--! Included policies/orders.sql
-- Members read their tenant's orders.
alter table intent.orders enable row level security;
alter table intent.orders force row level security;

drop policy if exists owner_in_tenant on intent.orders;
create policy owner_in_tenant on intent.orders to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists tenant_wall on intent.orders;
create policy tenant_wall on intent.orders as restrictive to authenticated
  using (tenant_id = (select intent.current_tenant_id()))
  with check (tenant_id = (select intent.current_tenant_id()));

drop policy if exists members_read on intent.orders;
create policy members_read on intent.orders for select to authenticated
  using (true);
grant select on intent.orders to authenticated;
--! EndIncluded policies/orders.sql
--! Included policies/budgets.sql
-- Members read their tenant's budgets.
alter table intent.budgets enable row level security;
alter table intent.budgets force row level security;

drop policy if exists owner_in_tenant on intent.budgets;
create policy owner_in_tenant on intent.budgets to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists tenant_wall on intent.budgets;
create policy tenant_wall on intent.budgets as restrictive to authenticated
  using (tenant_id = (select intent.current_tenant_id()))
  with check (tenant_id = (select intent.current_tenant_id()));

drop policy if exists members_read on intent.budgets;
create policy members_read on intent.budgets for select to authenticated
  using (true);
grant select on intent.budgets to authenticated;
--! EndIncluded policies/budgets.sql
--! Included policies/budget_shares.sql
-- Only the projection reads it.
alter table intent.budget_shares enable row level security;
alter table intent.budget_shares force row level security;

drop policy if exists owner_in_tenant on intent.budget_shares;
create policy owner_in_tenant on intent.budget_shares to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());
--! EndIncluded policies/budget_shares.sql

--! Included intent/message_types_rows.sql
-- Generated from src/domain by `npm run generate`. Do not edit.
insert into intent.message_types (type, aggregate_type, aggregate_id_pattern, sent_by, schema_version, execution)
values
  ('ApproveOrder', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['owner'], 1, 'temporal'),
  ('CancelOrder', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['owner', 'member', 'guest'], 1, 'temporal'),
  ('ChangeBudgetLimit', 'budget', '^[a-z0-9][a-z0-9-]{0,63}$', array['owner'], 1, 'temporal'),
  ('ConfirmOrder', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['system'], 1, 'temporal'),
  ('OpenBudget', 'budget', '^[a-z0-9][a-z0-9-]{0,63}$', array['owner'], 1, 'temporal'),
  ('PlaceOrder', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['owner', 'member', 'guest'], 1, 'temporal'),
  ('RecordDelivery', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['owner', 'member'], 1, 'temporal'),
  ('RejectOrder', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['system'], 1, 'temporal'),
  ('ReleaseBudget', 'budget', '^[a-z0-9][a-z0-9-]{0,63}$', array['system'], 1, 'temporal'),
  ('ReserveBudget', 'budget', '^[a-z0-9][a-z0-9-]{0,63}$', array['system'], 1, 'temporal'),
  ('SpendBudget', 'budget', '^[a-z0-9][a-z0-9-]{0,63}$', array['system'], 1, 'temporal')
on conflict (type) do update set
  aggregate_type = excluded.aggregate_type,
  aggregate_id_pattern = excluded.aggregate_id_pattern,
  sent_by = excluded.sent_by,
  schema_version = excluded.schema_version,
  execution = excluded.execution;
--! EndIncluded intent/message_types_rows.sql

-- Shapes that several functions answer with.
--! Included intent/timestamp_as_text.sql
-- ISO 8601 in UTC with microseconds, whatever the session's time zone.
create or replace function intent.timestamp_as_text(moment timestamptz) returns text
language sql stable
as $$
  select pg_catalog.to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
$$;
comment on function intent.timestamp_as_text(timestamptz) is 'ISO 8601 in UTC, whatever the session''s time zone.';
grant execute on function intent.timestamp_as_text(timestamptz) to authenticated, intent_system;
--! EndIncluded intent/timestamp_as_text.sql
--! Included intent/event_as_json.sql
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
--! EndIncluded intent/event_as_json.sql
--! Included intent/command_as_json.sql
-- The answer about a command: of submit_command, of get_command and of the outcome broadcast.
create or replace function intent.command_as_json(command intent.commands, duplicate boolean) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'commandId', command.command_id,
    'status', command.status,
    'duplicate', duplicate,
    'outcome', command.outcome
  );
$$;
comment on function intent.command_as_json(intent.commands, boolean) is 'A command''s status and outcome as JSON, in the same shape everywhere.';
grant execute on function intent.command_as_json(intent.commands, boolean) to authenticated;
--! EndIncluded intent/command_as_json.sql

-- The event store.
--! Included intent/refuse_change.sql
-- Events are append-only for everybody, the owner too. ENABLE ALWAYS: also where session_replication_role = replica.
create or replace function intent.refuse_change() returns trigger
language plpgsql
as $$
begin
  raise exception using
    errcode = 'IN405',
    message = format('%s on %I.%I is refused: events are never changed and never deleted', tg_op, tg_table_schema, tg_table_name),
    hint = 'Append an event that corrects the earlier one.';
end
$$;
comment on function intent.refuse_change() is 'Refuses every change of a recorded event (IN405).';

create or replace trigger append_only before update or delete on intent.events
  for each row execute function intent.refuse_change();
alter table intent.events enable always trigger append_only;

create or replace trigger never_emptied before truncate on intent.events
  for each statement execute function intent.refuse_change();
alter table intent.events enable always trigger never_emptied;

revoke update, delete, truncate on intent.events from intent_owner;
--! EndIncluded intent/refuse_change.sql
--! Included intent/lock_command.sql
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
--! EndIncluded intent/lock_command.sql
--! Included intent/settle_command.sql
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
--! EndIncluded intent/settle_command.sql
--! Included intent/event_problem.sql
-- What keeps an event from being recorded; null where nothing does. Small enough for the planner to inline into the insert.
create or replace function intent.event_problem(event jsonb) returns text
language sql stable
as $$
  select case
    when jsonb_typeof(event) <> 'object' then 'must be an object'
    when coalesce(event ->> 'type' !~ '^[A-Z][A-Za-z0-9]*$' or length(event ->> 'type') > 100, true)
      then 'needs a type such as "OrderPlaced"'
    when coalesce(event ->> 'schemaVersion', '1') !~ '^[1-9][0-9]*$' or length(event ->> 'schemaVersion') > 6
      then 'needs a schemaVersion from 1 to 999999'
    when jsonb_typeof(event -> 'payload') is distinct from 'object' then 'needs a payload that is an object'
    when pg_column_size(event) > 65536 and octet_length((event -> 'payload')::text) > 262144 then 'has a payload over 256 KiB'
    when jsonb_typeof(event -> 'metadata') <> 'object' then 'has metadata that is not an object'
  end;
$$;
comment on function intent.event_problem(jsonb) is 'What keeps an event from being recorded; null where nothing does.';
--! EndIncluded intent/event_problem.sql
--! Included intent/raise_conflict.sql
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
--! EndIncluded intent/raise_conflict.sql
--! Included intent/first_result.sql
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
--! EndIncluded intent/first_result.sql
--! Included intent/check_target.sql
-- Refuses an append without a command that has no proper target: IN404 unknown tenant, IN422 malformed aggregate.
create or replace function intent.check_target(tenant_id uuid, aggregate_type text, aggregate_id text) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from intent.tenants as t where t.tenant_id = check_target.tenant_id) then
    raise exception using errcode = 'IN404', message = 'there is no such tenant';
  elsif coalesce(aggregate_type !~ '^[a-z][A-Za-z0-9_-]*$' or length(aggregate_type) > 100, true) then
    raise exception using errcode = 'IN422', message = 'aggregate_type must be a name such as "order"';
  elsif coalesce(aggregate_id !~ '^[A-Za-z0-9][A-Za-z0-9._:-]*$' or length(aggregate_id) > 128, true) then
    raise exception using errcode = 'IN422',
      message = 'aggregate_id must be 1 to 128 letters, digits, dots, colons, dashes or underscores';
  end if;
end
$$;
comment on function intent.check_target(uuid, text, text) is 'Refuses an unknown tenant (IN404) or a malformed aggregate (IN422).';
--! EndIncluded intent/check_target.sql
--! Included intent/check_open.sql
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
--! EndIncluded intent/check_open.sql
--! Included intent/metadata_of.sql
-- What a command says of its events: set by the database, whatever the caller of append_events has put there.
create or replace function intent.metadata_of(command intent.commands) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object(
    'commandId', command.command_id,
    'correlationId', command.correlation_id,
    'causationId', command.command_id,
    'actor', jsonb_build_object('userId', command.actor_user_id, 'role', command.actor_role),
    'traceparent', command.traceparent
  );
end
$$;
comment on function intent.metadata_of(intent.commands) is 'What a command says of its events: who sent it and what caused them.';
--! EndIncluded intent/metadata_of.sql
--! Included intent/broadcast_append.sql
-- Tells the tenant's members of an append, without the events where the message would be too large for Realtime (256 KB);
-- the client then reads the feed.
create or replace function intent.broadcast_append(
  tenant_id uuid, aggregate_type text, aggregate_id text, first_position bigint, last_position bigint, events jsonb
) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  ignored text;
  message jsonb := jsonb_build_object(
    'aggregateType', aggregate_type, 'aggregateId', aggregate_id, 'fromPosition', first_position, 'toPosition', last_position);
begin
  -- The size as text is what counts; the binary size, which is quick to tell, is never less than a third of it.
  if pg_column_size(events) <= 60000 or octet_length(events::text) <= 200000 then
    message := message || jsonb_build_object('events', events);
  end if;
  ignored := intent.send_realtime(message, 'appended', 'tenant:' || tenant_id || ':events');
end
$$;
comment on function intent.broadcast_append(uuid, text, text, bigint, bigint, jsonb) is 'Broadcasts an append to its tenant''s private channel.';
--! EndIncluded intent/broadcast_append.sql
--! Included intent/try_append.sql
-- The append itself, for append_events, append_or_catch_up and append_batch, which have entered the tenant. Where the expected
-- version does not hold it appends nothing and answers with conflicting_version. Raises IN404, IN410, IN422.
--
-- Positions without holes and in commit order: appends of one tenant take turns by a transaction-level advisory lock,
-- which is held until the commit is visible, and read the last position only after they have it. A rollback leaves no
-- hole, no row is updated that could bloat, and tenants do not wait for each other (docs/adr/0001).
--
-- Expressions and plain statements, and an assignment instead of perform: PL/pgSQL evaluates those without starting the
-- executor, which is most of what an append would cost (docs/benchmarks.md).
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
  event intent.events;
  element jsonb;
  recorded jsonb := '[]';
  ignored text;
begin
  if command_id is null then
    ignored := intent.check_target(tenant_id, aggregate_type, aggregate_id);
  else
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
  head_version := coalesce(head_version, 0);
  if expected_version <> head_version then
    return row(null::bigint, null::bigint, null::bigint, null::bigint, false, head_version);
  end if;
  select e.position into head_position
  from intent.events as e
  where e.tenant_id = try_append.tenant_id
  order by e.position desc
  limit 1;
  head_position := coalesce(head_position, 0);

  event.tenant_id := tenant_id;
  event.aggregate_type := aggregate_type;
  event.aggregate_id := aggregate_id;
  for index in 0 .. jsonb_array_length(events) - 1 loop
    element := events -> index;
    ignored := intent.event_problem(element);
    if ignored is not null then
      raise exception using errcode = 'IN422', message = format('events[%s] %s', index, ignored);
    end if;
    event.version := head_version + index + 1;
    event.position := head_position + index + 1;
    event.type := element ->> 'type';
    event.schema_version := coalesce((element ->> 'schemaVersion')::integer, 1);
    event.payload := element -> 'payload';
    event.metadata := coalesce(element -> 'metadata', '{}') - 'commandId' || command_metadata;
    event.recorded_at := clock_timestamp();
    insert into intent.events values (event.*);
    recorded := recorded || intent.event_as_json(event);
  end loop;

  if command_id is not null then
    ignored := intent.settle_command(command, 'succeeded', jsonb_build_object(
      'aggregateType', aggregate_type, 'aggregateId', aggregate_id, 'firstVersion', head_version + 1, 'lastVersion', event.version,
      'firstPosition', head_position + 1, 'lastPosition', event.position
    ));
  end if;
  ignored := intent.broadcast_append(tenant_id, aggregate_type, aggregate_id, head_position + 1, event.position, recorded);
  return row(head_version + 1, event.version, head_position + 1, event.position, false, null::bigint);
end
$$;
comment on function intent.try_append(uuid, text, text, bigint, jsonb, uuid) is 'Appends and settles, or answers with the version that conflicts.';
--! EndIncluded intent/try_append.sql
--! Included intent/append_events.sql
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
  'Appends events to a stream, numbers them, and settles their command, in one transaction. expected_version: null any, 0 new.';
grant execute on function intent.append_events(uuid, text, text, bigint, jsonb, uuid) to intent_worker;
--! EndIncluded intent/append_events.sql
--! Included intent/append_or_catch_up.sql
-- append_events for the worker: where the stream has moved on it raises nothing, and answers with the events that the
-- worker has missed, so that it decides again without another read. Raises IN404, IN410, IN422.
create or replace function intent.append_or_catch_up(
  tenant_id uuid, aggregate_type text, aggregate_id text, expected_version bigint, events jsonb, command_id uuid
) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  ignored text := intent.enter_tenant(tenant_id);
  result intent.append_result;
begin
  result := intent.try_append(tenant_id, aggregate_type, aggregate_id, expected_version, events, command_id);
  if result.conflicting_version is null then
    return jsonb_build_object('lastVersion', result.last_version, 'duplicate', result.duplicate);
  end if;
  return jsonb_build_object('missed', (
    select coalesce(jsonb_agg(intent.event_as_json(e) order by e.version), '[]')
    from intent.events as e
    where e.tenant_id = append_or_catch_up.tenant_id and e.aggregate_type = append_or_catch_up.aggregate_type
      and e.aggregate_id = append_or_catch_up.aggregate_id and e.version > expected_version
  ));
end
$$;
comment on function intent.append_or_catch_up(uuid, text, text, bigint, jsonb, uuid) is
  'Appends as append_events does; on a conflict answers { missed: [events] } instead of raising.';
grant execute on function intent.append_or_catch_up(uuid, text, text, bigint, jsonb, uuid) to intent_worker;
--! EndIncluded intent/append_or_catch_up.sql
--! Included intent/check_appends.sql
-- Refuses a batch that cannot be read (IN422), naming the first offending element; what each append must hold beyond that,
-- the append itself checks.
create or replace function intent.check_appends(appends jsonb) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  problem text;
begin
  if jsonb_typeof(appends) is distinct from 'array' or jsonb_array_length(appends) not between 1 and 1000 then
    raise exception using errcode = 'IN422', message = 'appends must be an array of 1 to 1,000 objects';
  end if;
  select format('appends[%s]: %s', n - 1, reason) into problem
  from jsonb_array_elements(appends) with ordinality as a (append, n)
  cross join lateral (
    select case
      when jsonb_typeof(append) <> 'object' then 'must be an object'
      when not pg_input_is_valid(coalesce(append ->> 'expectedVersion', '0'), 'bigint') then 'expectedVersion must be an integer'
      when not pg_input_is_valid(append ->> 'commandId', 'uuid') then 'commandId must be a uuid'
    end as reason
  ) as checked
  where reason is not null
  order by n
  limit 1;
  if problem is not null then
    raise exception using errcode = 'IN422', message = problem;
  end if;
end
$$;
comment on function intent.check_appends(jsonb) is 'Refuses a batch that cannot be read (IN422), naming the element.';
--! EndIncluded intent/check_appends.sql
--! Included intent/append_batch.sql
-- Several appends of one tenant in one transaction: for the engine that runs many commands at once. Gives exactly what the
-- same appends one by one would give, in their order; one set of positions, all commands settled. All or nothing: the first
-- that is refused raises as append_events does, its message opening with appends[n].
-- appends: [{ aggregateType, aggregateId, expectedVersion (null or left out: any), events, commandId (or left out) }], 1 to 1,000.
create or replace function intent.append_batch(tenant_id uuid, appends jsonb)
returns table (first_version bigint, last_version bigint, first_position bigint, last_position bigint, duplicate boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  append jsonb;
  index integer := 0;
  code text;
  message text;
  detail text;
begin
  perform intent.enter_tenant(tenant_id);
  perform intent.check_appends(appends);
  -- All of them, in one order, and before the tenant's lock: else a batch and another append of one of its commands could
  -- wait for each other.
  perform
  from intent.commands as c
  where c.tenant_id = append_batch.tenant_id
    and c.command_id in (select (element ->> 'commandId')::uuid from jsonb_array_elements(appends) as element)
  order by c.command_id
  for update;

  for append in select element from jsonb_array_elements(appends) as element loop
    return query select * from intent.append_events(
      tenant_id, append ->> 'aggregateType', append ->> 'aggregateId', (append ->> 'expectedVersion')::bigint,
      append -> 'events', (append ->> 'commandId')::uuid);
    index := index + 1;
  end loop;
exception when sqlstate 'IN001' or sqlstate 'IN404' or sqlstate 'IN410' or sqlstate 'IN422' then
  get stacked diagnostics code = returned_sqlstate, message = message_text, detail = pg_exception_detail;
  raise exception using
    errcode = code, message = case when message ~ '^appends' then message else format('appends[%s]: %s', index, message) end, detail = detail;
end
$$;
comment on function intent.append_batch(uuid, jsonb) is 'Several appends of one tenant in one transaction, all or nothing.';
grant execute on function intent.append_batch(uuid, jsonb) to intent_worker;
--! EndIncluded intent/append_batch.sql
--! Included intent/read_stream.sql
-- A stream as { version, snapshot, events }, of one moment: one statement, one database snapshot. load_aggregate, load_command
-- and api.hydrate answer with it; the caller's policies decide what it sees. state_version null: any snapshot will do.
-- A snapshot ahead of its stream is never used.
create or replace function intent.read_stream(of_tenant uuid, of_type text, of_id text, of_state_version integer) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    with head as (
      select coalesce(max(e.version), 0) as version
      from intent.events as e
      where e.tenant_id = of_tenant and e.aggregate_type = of_type and e.aggregate_id = of_id
    ), snapshot as (
      select s.version, s.state_version, s.state
      from intent.snapshots as s, head
      where s.tenant_id = of_tenant and s.aggregate_type = of_type and s.aggregate_id = of_id
        and (of_state_version is null or s.state_version = of_state_version) and s.version <= head.version
    )
    select jsonb_build_object(
      'version', head.version,
      'snapshot', (
        select jsonb_build_object('version', version, 'stateVersion', state_version, 'state', state) from snapshot
      ),
      'events', coalesce((
        select jsonb_agg(intent.event_as_json(e) order by e.version)
        from intent.events as e
        where e.tenant_id = of_tenant and e.aggregate_type = of_type and e.aggregate_id = of_id
          and e.version > coalesce((select version from snapshot), 0)
          -- True of all; it tells the planner that the range is narrow, or it would rather read the whole table.
          and e.version <= (select version from head)
      ), '[]')
    )
    from head
  );
end
$$;
comment on function intent.read_stream(uuid, text, text, integer) is 'A stream as jsonb { version, snapshot, events }, as the caller may see it.';
grant execute on function intent.read_stream(uuid, text, text, integer) to authenticated;
--! EndIncluded intent/read_stream.sql
--! Included intent/head_position.sql
-- The tenant's newest position, 0 where it has none, as the caller may see it.
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
comment on function intent.head_position(uuid) is 'A tenant''s newest position; 0 where it has none.';
grant execute on function intent.head_position(uuid) to authenticated;
--! EndIncluded intent/head_position.sql
--! Included intent/load_aggregate.sql
-- A snapshot, if one of this state version is there, and the events after it: what the worker folds, in one round trip.
create or replace function intent.load_aggregate(tenant_id uuid, aggregate_type text, aggregate_id text, state_version integer)
returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.enter_tenant(load_aggregate.tenant_id);
  return intent.read_stream(load_aggregate.tenant_id, load_aggregate.aggregate_type, load_aggregate.aggregate_id,
    coalesce(load_aggregate.state_version, 0));
end
$$;
comment on function intent.load_aggregate(uuid, text, text, integer) is
  'jsonb { version, snapshot, events }: a matching snapshot and the events after it.';
grant execute on function intent.load_aggregate(uuid, text, text, integer) to intent_worker;
--! EndIncluded intent/load_aggregate.sql
--! Included intent/save_snapshot.sql
-- Caches the state of a stream at a version. The worker calls it after an append, outside the command's way.
-- An older snapshot of the same state version never replaces a newer one. Raises IN422 where the version is ahead of the stream.
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
comment on function intent.save_snapshot(uuid, text, text, bigint, integer, jsonb) is 'Caches the state of a stream at a version.';
grant execute on function intent.save_snapshot(uuid, text, text, bigint, integer, jsonb) to intent_worker;
--! EndIncluded intent/save_snapshot.sql

-- The command queue.
--! Included intent/check_submission.sql
-- Refuses what no command may be (IN422); what a payload must hold beyond that, the worker checks against its schema.
-- Answers with the command's type as the registry knows it. Called by submit_member_command and submit_system_command.
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
    when octet_length(check_submission.payload::text) > 262144 then 'payload is over 256 KiB'
    when jsonb_path_exists(check_submission.payload, '$.**{32 to last}') then 'payload is nested more than 32 levels deep'
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
--! EndIncluded intent/check_submission.sql
--! Included intent/count_submission.sql
-- Counts a submission against its tenant's rate, where it has one. Raises IN429; the exception undoes the count.
create or replace function intent.count_submission(of_tenant uuid) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  allowed integer := (select t.commands_per_second from intent.tenants as t where t.tenant_id = of_tenant);
  this_second timestamptz := date_trunc('second', clock_timestamp());
  counted integer;
begin
  if allowed is null then
    return;
  end if;
  insert into intent.submission_counts as c (tenant_id, counted_second, submissions)
  values (of_tenant, this_second, 1)
  on conflict (tenant_id) do update
    set submissions = case when c.counted_second = excluded.counted_second then c.submissions + 1 else 1 end,
        counted_second = excluded.counted_second
  returning submissions into counted;
  if counted > allowed then
    raise exception using
      errcode = 'IN429',
      message = format('this tenant may submit %s commands a second', allowed),
      hint = 'Send it again, with the same id, after a second.';
  end if;
end
$$;
comment on function intent.count_submission(uuid) is 'Refuses a submission over its tenant''s rate (IN429).';
--! EndIncluded intent/count_submission.sql
--! Included intent/insert_command.sql
-- Inserts a command once. The same id with the same submitter and content answers with the first row; anything else
-- under that id raises IN409, which says nothing of the first. The hash covers every field but traceparent.
create or replace function intent.insert_command(candidate intent.commands, out command intent.commands, out duplicate boolean)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  candidate.request_hash := sha256(convert_to(jsonb_build_array(
    candidate.actor_user_id, candidate.type, candidate.aggregate_type, candidate.aggregate_id, candidate.schema_version,
    candidate.payload, candidate.expected_version, candidate.correlation_id, candidate.causation_id,
    extract(epoch from candidate.execute_at)
  )::text, 'utf8'));

  select c.* into command
  from intent.commands as c
  where c.tenant_id = candidate.tenant_id and c.command_id = candidate.command_id;
  duplicate := found;

  if not duplicate then
    perform intent.count_submission(candidate.tenant_id);
    insert into intent.commands as c
      (tenant_id, command_id, aggregate_type, aggregate_id, type, schema_version, payload, actor_user_id, actor_role,
       correlation_id, causation_id, expected_version, execute_at, request_hash, traceparent)
    values
      (candidate.tenant_id, candidate.command_id, candidate.aggregate_type, candidate.aggregate_id, candidate.type,
       candidate.schema_version, candidate.payload, candidate.actor_user_id, candidate.actor_role,
       coalesce(candidate.correlation_id, candidate.command_id), candidate.causation_id, candidate.expected_version,
       candidate.execute_at, candidate.request_hash, candidate.traceparent)
    on conflict (tenant_id, command_id) do nothing
    returning c.* into command;
    if not found then
      -- Another transaction was faster, and has committed: the conflict waited for it.
      duplicate := true;
      select c.* into command
      from intent.commands as c
      where c.tenant_id = candidate.tenant_id and c.command_id = candidate.command_id;
    end if;
  end if;

  if command.request_hash <> candidate.request_hash then
    raise exception using
      errcode = 'IN409',
      message = 'this command id is in use for another command',
      hint = 'Use a new id for a new command, and the same content when you send one again.';
  end if;
end
$$;
comment on function intent.insert_command(intent.commands) is 'Inserts a command once; a reused id with other content raises IN409.';
--! EndIncluded intent/insert_command.sql
--! Included intent/submit_member_command.sql
-- api.submit_command's definer: tenant, actor and role come from the verified claims and the membership, never from an
-- argument, and `authenticated` needs no INSERT on commands.
-- Raises IN403 no membership or a type that only the system sends, IN409, IN422, IN429.
create or replace function intent.submit_member_command(
  command_id uuid, type text, aggregate_type text, aggregate_id text, payload jsonb, expected_version bigint,
  correlation_id uuid, causation_id uuid, execute_at timestamptz, schema_version integer, traceparent text
) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid := intent.current_tenant_id();
  member_role text := intent.current_role_in_tenant();
  known intent.message_types;
  candidate intent.commands;
  submitted record;
begin
  if tenant is null or member_role is null or intent.current_user_id() is null then
    raise exception using
      errcode = 'IN403',
      message = 'you are not a member of this tenant',
      hint = 'Sign in again, or switch to a tenant that you belong to.';
  end if;
  perform intent.enter_tenant(tenant);
  known := intent.check_submission(
    command_id, type, aggregate_type, aggregate_id, payload, expected_version, execute_at, schema_version, traceparent);
  if not (known.sent_by && array['owner', 'member', 'guest']) then
    raise exception using errcode = 'IN403', message = format('%s is sent by the system only', known.type);
  end if;

  candidate.tenant_id := tenant;
  candidate.command_id := command_id;
  candidate.type := type;
  candidate.aggregate_type := aggregate_type;
  candidate.aggregate_id := aggregate_id;
  candidate.payload := payload;
  candidate.schema_version := schema_version;
  candidate.actor_user_id := intent.current_user_id();
  candidate.actor_role := member_role;
  candidate.expected_version := expected_version;
  candidate.correlation_id := correlation_id;
  candidate.causation_id := causation_id;
  candidate.execute_at := execute_at;
  candidate.traceparent := traceparent;
  submitted := intent.insert_command(candidate);
  return intent.command_as_json(submitted.command, submitted.duplicate);
end
$$;
comment on function intent.submit_member_command(uuid, text, text, text, jsonb, bigint, uuid, uuid, timestamptz, integer, text) is
  'Submits a command as the signed-in member.';
grant execute on function intent.submit_member_command(uuid, text, text, text, jsonb, bigint, uuid, uuid, timestamptz, integer, text)
  to authenticated;
--! EndIncluded intent/submit_member_command.sql
--! Included intent/submit_system_command.sql
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
  candidate intent.commands;
  submitted record;
begin
  perform intent.enter_tenant(submit_system_command.tenant_id);
  if not exists (select from intent.tenants as t where t.tenant_id = submit_system_command.tenant_id) then
    raise exception using errcode = 'IN404', message = 'there is no such tenant';
  end if;
  select m.* into known from intent.message_types as m where m.type = submit_system_command.type;
  known := intent.check_submission(command_id, type, aggregate_type, aggregate_id, payload, null, execute_at, known.schema_version, null);

  candidate.tenant_id := tenant_id;
  candidate.command_id := command_id;
  candidate.type := type;
  candidate.aggregate_type := aggregate_type;
  candidate.aggregate_id := aggregate_id;
  candidate.payload := payload;
  candidate.schema_version := known.schema_version;
  candidate.actor_role := 'system';
  candidate.correlation_id := correlation_id;
  candidate.causation_id := causation_id;
  candidate.execute_at := execute_at;
  submitted := intent.insert_command(candidate);
  if pg_has_role(session_user, 'intent_operator', 'member') then
    perform intent.log_operator('submit_system_command', tenant_id, jsonb_build_object('commandId', command_id, 'type', type));
  end if;
  return intent.command_as_json(submitted.command, submitted.duplicate);
end
$$;
comment on function intent.submit_system_command(uuid, uuid, text, text, text, jsonb, uuid, uuid, timestamptz) is
  'Submits a command as the system.';
grant execute on function intent.submit_system_command(uuid, uuid, text, text, text, jsonb, uuid, uuid, timestamptz)
  to intent_worker, intent_operator;
--! EndIncluded intent/submit_system_command.sql
--! Included intent/load_command.sql
-- A command and its aggregate, in one round trip: all that a decision needs. The worker calls it.
-- state_versions: { "<aggregate type>": n }. Null where there is no such command.
create or replace function intent.load_command(tenant_id uuid, command_id uuid, state_versions jsonb) returns jsonb
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.enter_tenant(load_command.tenant_id);
  return (
    select jsonb_build_object(
      'status', c.status,
      'type', c.type,
      'schemaVersion', c.schema_version,
      'aggregateType', c.aggregate_type,
      'aggregateId', c.aggregate_id,
      'payload', c.payload,
      'actor', jsonb_build_object('userId', c.actor_user_id, 'role', c.actor_role),
      'expectedVersion', c.expected_version,
      'stream', intent.read_stream(c.tenant_id, c.aggregate_type, c.aggregate_id,
        coalesce((load_command.state_versions ->> c.aggregate_type)::integer, 0))
    )
    from intent.commands as c
    where c.tenant_id = load_command.tenant_id and c.command_id = load_command.command_id
  );
end
$$;
comment on function intent.load_command(uuid, uuid, jsonb) is 'A command and its aggregate''s stream, in one round trip.';
grant execute on function intent.load_command(uuid, uuid, jsonb) to intent_worker;
--! EndIncluded intent/load_command.sql
--! Included intent/mark_dispatched.sql
-- Records that a claimed command's execution has been started. The pump calls it.
-- False where there is nothing to mark: the command has ended already, or the claim has passed to another pump.
create or replace function intent.mark_dispatched(tenant_id uuid, command_id uuid, fencing_token bigint) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.enter_tenant(mark_dispatched.tenant_id);
  update intent.commands as c
  set status = 'dispatched', dispatched_at = clock_timestamp()
  where c.tenant_id = mark_dispatched.tenant_id and c.command_id = mark_dispatched.command_id
    and c.fencing_token = mark_dispatched.fencing_token and c.status = 'pending' and c.claimed_by is not null;
  return found;
end
$$;
comment on function intent.mark_dispatched(uuid, uuid, bigint) is 'Records that a claimed command''s execution has been started.';
grant execute on function intent.mark_dispatched(uuid, uuid, bigint) to intent_pump;
--! EndIncluded intent/mark_dispatched.sql
--! Included intent/release_command.sql
-- Gives a claim back unused, so that another pump, or this one later, may take it before the lease ends. The pump calls it
-- when an execution could not be started, and when it shuts down. False where the claim is not the caller's any more.
create or replace function intent.release_command(tenant_id uuid, command_id uuid, fencing_token bigint) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.enter_tenant(release_command.tenant_id);
  update intent.commands as c
  set claimed_by = null, claimed_until = null, attempts = c.attempts - 1
  where c.tenant_id = release_command.tenant_id and c.command_id = release_command.command_id
    and c.fencing_token = release_command.fencing_token and c.status = 'pending' and c.claimed_by is not null;
  return found;
end
$$;
comment on function intent.release_command(uuid, uuid, bigint) is 'Gives a claim back unused.';
grant execute on function intent.release_command(uuid, uuid, bigint) to intent_pump;
--! EndIncluded intent/release_command.sql
--! Included intent/reject_command.sql
-- Settles a command with the domain's refusal. The same refusal again is silent. The worker calls it.
-- Raises IN404, IN410 where the command has ended otherwise, IN422.
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
comment on function intent.reject_command(uuid, uuid, text, text, jsonb) is 'Settles a command with a rejection.';
grant execute on function intent.reject_command(uuid, uuid, text, text, jsonb) to intent_worker;
--! EndIncluded intent/reject_command.sql
--! Included intent/fail_command.sql
-- Dead-letters a command: its faults outlasted every retry. An operator may retry_command. The worker calls it.
-- The client learns that it failed; the error itself is for the operator (intent.dead_letters). A repetition is silent.
-- Raises IN404, IN410 where the command has ended otherwise.
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
      jsonb_build_object('code', 'FAILED', 'message', 'The command could not be executed. An operator has been told.', 'details', '{}'::jsonb),
      coalesce(fail_command.error, '{}')
    );
  elsif command.status <> 'failed' then
    perform intent.raise_settled(command);
  end if;
end
$$;
comment on function intent.fail_command(uuid, uuid, jsonb) is 'Dead-letters a command, for an operator to retry.';
grant execute on function intent.fail_command(uuid, uuid, jsonb) to intent_worker;
--! EndIncluded intent/fail_command.sql
--! Included intent/retry_command.sql
-- Puts a dead-lettered command back into the queue. An operator calls it.
-- Raises IN404, IN410 where the command is not a dead letter.
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
comment on function intent.retry_command(uuid, uuid) is 'Puts a dead-lettered command back into the queue.';
grant execute on function intent.retry_command(uuid, uuid) to intent_operator;
--! EndIncluded intent/retry_command.sql

-- What an insert sets off.
--! Included intent/beds.sql
-- The advisory locks of sleeping pumps: (class, 1 … count). More pumps than beds may run; the rest then poll.
create or replace function intent.bed_lock_class() returns integer
language sql immutable
as $$
  select 1229870149;
$$;
comment on function intent.bed_lock_class() is 'The class of the advisory locks that sleeping pumps hold.';

create or replace function intent.bed_count() returns integer
language sql immutable
as $$
  select 4;
$$;
comment on function intent.bed_count() is 'How many pumps can sleep at a time; others poll.';
grant execute on function intent.bed_lock_class(), intent.bed_count() to intent_pump;
--! EndIncluded intent/beds.sql
--! Included intent/fall_asleep.sql
-- Makes inserts ring for this session, by a lock that it keeps until wake_up, or until its connection ends. Answers the
-- bed, or null where all are taken or an open submission holds them up: the caller then polls. Never waits.
-- The caller must look at the queue once more before it sleeps.
create or replace function intent.fall_asleep() returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  for bed in 1 .. intent.bed_count() loop
    if pg_try_advisory_lock(intent.bed_lock_class(), bed) then
      return bed;
    end if;
  end loop;
  return null;
end
$$;
comment on function intent.fall_asleep() is 'Makes inserts ring for this session; answers its bed, or null where it must poll.';
grant execute on function intent.fall_asleep() to intent_pump;

-- Gives the bed back. False where the session did not have it.
create or replace function intent.wake_up(bed integer) returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_advisory_unlock(intent.bed_lock_class(), bed);
end
$$;
comment on function intent.wake_up(integer) is 'Gives the bed of fall_asleep back.';
grant execute on function intent.wake_up(integer) to intent_pump;
--! EndIncluded intent/fall_asleep.sql
--! Included intent/ring_doorbell.sql
-- Wakes a sleeping pump: one NOTIFY a statement, without content, because any role can listen. A NOTIFY makes its
-- transaction hold a cluster-wide lock until the commit is on disk, so it is sent only where somebody sleeps.
--
-- Each sleeper holds one of a few advisory locks (intent.fall_asleep). We try to share each of them until our commit: where
-- that fails, somebody sleeps. No wake-up is lost: a lock that we share cannot be taken before our commit is visible, and
-- who takes it afterwards looks at the queue once more.
create or replace function intent.ring_doorbell() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  for bed in 1 .. intent.bed_count() loop
    if not pg_try_advisory_xact_lock_shared(intent.bed_lock_class(), bed) then
      perform pg_notify('intent_commands', '');
      exit;
    end if;
  end loop;
  return null;
end
$$;
comment on function intent.ring_doorbell() is 'NOTIFY intent_commands where a pump sleeps: there may be something to claim.';

create or replace trigger ring_doorbell after insert on intent.commands
  for each statement execute function intent.ring_doorbell();

-- An end, a release or a retry lets the next command of the aggregate go.
create or replace trigger ring_doorbell_again after update of status, claimed_by on intent.commands
  for each row when (new.status <> 'dispatched' and (new.claimed_by is null or new.completed_at is not null))
  execute function intent.ring_doorbell();
--! EndIncluded intent/ring_doorbell.sql
--! Included intent/send_realtime.sql
-- Sends one private broadcast. It is a hint to clients, who find any loss by the positions, so a failure is a warning
-- (realtime.send sees to that) and never undoes an append. Definer: see policies/realtime_messages.sql.
do $$
begin
  -- Where the migrating role owns it (hosted projects), only that role can replace it.
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
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform realtime.send(payload, event, topic, true);
end
$$;
comment on function intent.send_realtime(jsonb, text, text) is 'Sends one private broadcast over Supabase Realtime.';
--! EndIncluded intent/send_realtime.sql
--! Included intent/broadcast_outcome.sql
-- Tells the submitter, and nobody else, how its command ended.
create or replace function intent.broadcast_outcome() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.send_realtime(
    intent.command_as_json(new, false), 'outcome', format('tenant:%s:user:%s', new.tenant_id, new.actor_user_id));
  return null;
end
$$;
comment on function intent.broadcast_outcome() is 'Broadcasts a command''s outcome to its submitter.';

create or replace trigger broadcast_outcome after update of status on intent.commands
  for each row when (new.completed_at is not null and new.actor_user_id is not null)
  execute function intent.broadcast_outcome();
--! EndIncluded intent/broadcast_outcome.sql
--! Included order/project_orders.sql
-- Read model of the slice order: one row an order, in the append's own transaction.
create or replace function intent.project_orders() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if new.type = 'OrderPlaced' then
    insert into intent.orders (tenant_id, order_id, budget_id, status, total, placed_by, version, position)
    values (
      new.tenant_id, new.aggregate_id, new.payload ->> 'budgetId',
      case when (new.payload ->> 'needsApproval')::boolean then 'awaiting_approval' else 'placed' end,
      (new.payload ->> 'total')::bigint, (new.payload ->> 'placedBy')::uuid, new.version, new.position
    );
  else
    update intent.orders as o
    set status = case new.type
          when 'OrderApproved' then 'placed'
          when 'OrderCancelled' then 'cancelled'
          when 'OrderDelivered' then 'delivered'
          when 'OrderConfirmed' then 'confirmed'
          when 'OrderRejected' then 'rejected'
          else o.status
        end,
        version = new.version, position = new.position
    where o.tenant_id = new.tenant_id and o.order_id = new.aggregate_id;
  end if;
  return null;
end
$$;
comment on function intent.project_orders() is 'Keeps intent.orders.';

create or replace trigger project_orders after insert on intent.events
  for each row when (new.aggregate_type = 'order') execute function intent.project_orders();
--! EndIncluded order/project_orders.sql
--! Included budget/budget_share_after.sql
-- One event's effect on its order's share of a budget: a reservation replaces the one before, spending takes it over, a
-- release gives back what is reserved and what is spent. `share` is null where the order has none yet.
create or replace function intent.budget_share_after(event intent.events, share intent.budget_shares) returns intent.budget_shares
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  amount bigint := (event.payload ->> 'amount')::bigint;
begin
  share.tenant_id := event.tenant_id;
  share.budget_id := event.aggregate_id;
  share.order_id := event.payload ->> 'orderId';
  share.reserved := case event.type when 'BudgetReserved' then amount else 0 end;
  share.spent := case event.type when 'BudgetReleased' then 0 when 'BudgetSpent' then coalesce(share.spent, 0) + amount
    else coalesce(share.spent, 0) end;
  return share;
end
$$;
comment on function intent.budget_share_after(intent.events, intent.budget_shares) is 'One event''s effect on its order''s share of a budget.';
--! EndIncluded budget/budget_share_after.sql
--! Included budget/project_budgets.sql
-- Read model of the slice budget, in the append's own transaction. A release names only its order, so the share of each
-- order is kept beside the budget's totals.
create or replace function intent.project_budgets() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  share_before intent.budget_shares;
  share_after intent.budget_shares;
begin
  if new.type = 'BudgetOpened' then
    insert into intent.budgets (tenant_id, budget_id, name, spending_limit, version, position)
    values (new.tenant_id, new.aggregate_id, new.payload ->> 'name', (new.payload ->> 'limit')::bigint, new.version, new.position);
    return null;
  end if;

  if new.type in ('BudgetReserved', 'BudgetSpent', 'BudgetReleased') then
    select s.* into share_before
    from intent.budget_shares as s
    where s.tenant_id = new.tenant_id and s.budget_id = new.aggregate_id and s.order_id = new.payload ->> 'orderId';
    share_after := intent.budget_share_after(new, share_before);
    insert into intent.budget_shares values (share_after.*)
    on conflict (tenant_id, budget_id, order_id) do update set reserved = excluded.reserved, spent = excluded.spent;
  end if;
  update intent.budgets as b
  set spending_limit = case new.type when 'BudgetLimitChanged' then (new.payload ->> 'limit')::bigint else b.spending_limit end,
      reserved = b.reserved + coalesce(share_after.reserved, 0) - coalesce(share_before.reserved, 0),
      spent = b.spent + coalesce(share_after.spent, 0) - coalesce(share_before.spent, 0),
      version = new.version, position = new.position
  where b.tenant_id = new.tenant_id and b.budget_id = new.aggregate_id;
  return null;
end
$$;
comment on function intent.project_budgets() is 'Keeps intent.budgets.';

create or replace trigger project_budgets after insert on intent.events
  for each row when (new.aggregate_type = 'budget') execute function intent.project_budgets();
--! EndIncluded budget/project_budgets.sql

-- For clients.
--! Included api/submit_command.sql
-- Submits a command as the signed-in member. Idempotent: the same command again answers with the first one's status.
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
--! EndIncluded api/submit_command.sql
--! Included api/get_command.sql
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
--! EndIncluded api/get_command.sql
--! Included api/hydrate.sql
-- A client's starting point: a stream and the tenant's position, of one moment.
create or replace function api.hydrate(aggregate_type text, aggregate_id text, state_version integer default null) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid := intent.current_tenant_id();
begin
  -- STABLE: both reads are of the calling statement's snapshot.
  return intent.read_stream(tenant, aggregate_type, aggregate_id, state_version)
    || jsonb_build_object('position', intent.head_position(tenant));
end
$$;
comment on function api.hydrate(text, text, integer) is
  'jsonb { version, position, snapshot, events }: a stream, and the tenant''s position at that moment.';
grant execute on function api.hydrate(text, text, integer) to authenticated;
--! EndIncluded api/hydrate.sql
--! Included api/read_feed.sql
-- The tenant's events after a position, in commit order: what fills a client's gap. At most 1,000 at a time.
create or replace function api.read_feed(after_position bigint, max_events integer default 500) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid := intent.current_tenant_id();
begin
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
comment on function api.read_feed(bigint, integer) is 'jsonb { events, lastPosition, headPosition }: the tenant''s events after a position.';
grant execute on function api.read_feed(bigint, integer) to authenticated;
--! EndIncluded api/read_feed.sql
--! Included api/orders.sql
-- The tenant's orders.
create or replace view api.orders with (security_invoker = true) as
  select order_id, budget_id, status, total, placed_by, version, position from intent.orders;
comment on view api.orders is 'The tenant''s orders; total in cents.';
grant select on api.orders to authenticated;
--! EndIncluded api/orders.sql
--! Included api/budgets.sql
-- The tenant's budgets.
create or replace view api.budgets with (security_invoker = true) as
  select budget_id, name, spending_limit, reserved, spent, version, position from intent.budgets;
comment on view api.budgets is 'The tenant''s budgets; amounts in cents.';
grant select on api.budgets to authenticated;
--! EndIncluded api/budgets.sql

reset role;
set local role intent_system;

-- The closed list of functions that span tenants.
--! Included intent/tenants_in_turn.sql
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
--! EndIncluded intent/tenants_in_turn.sql
--! Included intent/claimable_commands.sql
-- A tenant's due commands that nothing of their aggregate holds up, at most `wanted`, oldest first.
-- First among the oldest that wait. Where those are held up (thousands may wait behind one command in flight), by leaps
-- from aggregate to aggregate, of each of which only the first open command can be free: so a long queue of one aggregate
-- costs no more than a short one.
create or replace function intent.claimable_commands(of_tenant uuid, moment timestamptz, wanted integer) returns setof intent.commands
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  look_at constant integer := wanted * 2 + 50;
  reached_type text := '';
  reached_id text := '';
  first_open intent.commands;
  given integer;
begin
  return query
  select c.*
  from (
    select waiting.*
    from intent.commands as waiting
    where waiting.tenant_id = of_tenant and waiting.status = 'pending' and waiting.claimed_by is null and waiting.due_at <= moment
    order by waiting.due_at, waiting.command_id
    limit look_at
  ) as c
  -- It is its aggregate's first, and none of its aggregate is in flight. Look-ups with a limit: the planner would make one
  -- hashed anti join out of `not exists`, and read the whole queue for it.
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
  order by c.due_at, c.command_id
  limit wanted;
  get diagnostics given = row_count;
  if given > 0 then
    return;
  end if;

  loop
    select c.* into first_open
    from intent.commands as c
    where c.tenant_id = of_tenant and c.status in ('pending', 'dispatched')
      and (c.aggregate_type, c.aggregate_id) > (reached_type, reached_id)
    order by c.aggregate_type, c.aggregate_id, c.due_at, c.command_id
    limit 1;
    exit when not found or given = wanted;
    reached_type := first_open.aggregate_type;
    reached_id := first_open.aggregate_id;
    if first_open.claimed_by is null and first_open.due_at <= moment then
      return next first_open;
      given := given + 1;
    end if;
  end loop;
end
$$;
comment on function intent.claimable_commands(uuid, timestamptz, integer) is 'A tenant''s due commands that nothing of their aggregate holds up.';
--! EndIncluded intent/claimable_commands.sql
--! Included intent/candidates_of.sql
-- What may be claimed of these tenants: the first of each, then the second of each …, an equal share for each at most.
create or replace function intent.candidates_of(tenants uuid[], moment timestamptz, max_commands integer) returns intent.commands[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  share constant integer := ceil(max_commands::numeric / cardinality(tenants));
begin
  return array(
    select claimable.command
    from unnest(tenants) with ordinality as turn (tenant_id, place)
    cross join lateral (
      select command, row_number() over () as rank
      from intent.claimable_commands(turn.tenant_id, moment, share) as command
    ) as claimable
    order by claimable.rank, turn.place
    limit max_commands
  );
end
$$;
comment on function intent.candidates_of(uuid[], timestamptz, integer) is 'What may be claimed of these tenants, an equal share for each.';
--! EndIncluded intent/candidates_of.sql
--! Included intent/expired_claims.sql
-- Claims whose lease has ended before the command was marked, longest ago first: their pump has died or sleeps.
create or replace function intent.expired_claims(moment timestamptz, max_commands integer) returns intent.commands[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select c
    from intent.commands as c
    where c.status = 'pending' and c.claimed_by is not null and c.claimed_until <= moment
    order by c.claimed_until
    limit max_commands
  );
end
$$;
comment on function intent.expired_claims(timestamptz, integer) is 'Claims whose lease has ended before the command was marked.';
--! EndIncluded intent/expired_claims.sql
--! Included intent/lock_candidates.sql
-- Those of the candidates whose aggregate no other claim is busy with, locked until the transaction ends; null where none.
create or replace function intent.lock_candidates(candidates intent.commands[]) returns intent.commands[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select array_agg(c)
    from unnest(candidates) as c
    where pg_try_advisory_xact_lock(hashtextextended(concat_ws(':', c.tenant_id, c.aggregate_type, c.aggregate_id), 1))
  );
end
$$;
comment on function intent.lock_candidates(intent.commands[]) is 'Those of the candidates whose aggregate no other claim is busy with, locked.';
--! EndIncluded intent/lock_candidates.sql
--! Included intent/claim_commands.sql
-- Takes due commands for a pump: oldest first within an aggregate, never two of one aggregate in flight, and a turn for
-- every tenant before anybody's second. The claim is a lease on the database's clock with a fencing token.
-- Claims lock what they take and skip what another claim has locked, so pumps do not wait for each other.
-- Raises IN422.
create or replace function intent.claim_commands(claimed_by text, max_commands integer, lease interval)
returns table (
  tenant_id uuid, command_id uuid, aggregate_type text, aggregate_id text, type text, fencing_token bigint,
  attempts integer, correlation_id uuid, traceparent text, execution text, isolation text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  moment timestamptz := clock_timestamp();
  last_served uuid := coalesce((select t.tenant_id from intent.claim_turns as t), '00000000-0000-0000-0000-000000000000');
  tenants uuid[];
  chosen intent.commands[];
begin
  if coalesce(max_commands, 0) not between 1 and 1000 or coalesce(lease, '0') <= '0' or coalesce(claimed_by, '') = '' then
    raise exception using errcode = 'IN422', message = 'claim_commands needs a name, 1 to 1,000 commands and a positive lease';
  end if;

  -- 1. Candidates, by a snapshot that may be a moment old. Claims whose lease has ended come first, as nothing else of their
  -- aggregates can be in flight, but take half of the batch at most. Then what nobody has claimed; a round of tenants in which
  -- everything is held up must not keep the next ones from their turn. One lock an aggregate keeps other claims off it.
  chosen := intent.lock_candidates(intent.expired_claims(moment, (max_commands + 1) / 2));
  for round in 1 .. 10 loop
    tenants := intent.tenants_in_turn(moment, max_commands, last_served);
    exit when tenants = '{}';
    last_served := tenants[cardinality(tenants)];
    chosen := chosen || intent.lock_candidates(intent.candidates_of(tenants, moment, max_commands - coalesce(cardinality(chosen), 0)));
    exit when chosen is not null or cardinality(tenants) < max_commands;
  end loop;

  -- 2. With the locks held, look again: a claim that held one of them a moment ago has committed since.
  return query
  with free as (
    select c.tenant_id, c.command_id
    from unnest(chosen) as candidate
    join intent.commands as c on c.tenant_id = candidate.tenant_id and c.command_id = candidate.command_id
    where c.status = 'pending' and (c.claimed_by is null or c.claimed_until <= moment)
      and not exists (
        select from intent.commands as other
        where other.tenant_id = c.tenant_id and other.aggregate_type = c.aggregate_type and other.aggregate_id = c.aggregate_id
          and other.status in ('pending', 'dispatched') and other.command_id <> c.command_id and other.claimed_by is not null
      )
    for update of c skip locked
  ), claimed as (
    update intent.commands as c
    set claimed_by = claim_commands.claimed_by, claimed_until = moment + lease,
        fencing_token = c.fencing_token + 1, attempts = c.attempts + 1
    from free
    where c.tenant_id = free.tenant_id and c.command_id = free.command_id
    returning c.*
  ), turn as (
    insert into intent.claim_turns (tenant_id)
    select last_served
    where tenants <> '{}'
    on conflict (only_row) do update set tenant_id = excluded.tenant_id
  )
  select c.tenant_id, c.command_id, c.aggregate_type, c.aggregate_id, c.type, c.fencing_token,
    c.attempts, c.correlation_id, c.traceparent, m.execution, t.isolation
  from claimed as c
  left join intent.message_types as m on m.type = c.type
  left join intent.tenants as t on t.tenant_id = c.tenant_id
  order by c.due_at, c.command_id;
end
$$;
comment on function intent.claim_commands(text, integer, interval) is 'Takes due commands for a pump, fairly over tenants, under a lease.';
grant execute on function intent.claim_commands(text, integer, interval) to intent_pump;
--! EndIncluded intent/claim_commands.sql
--! Included intent/prune_commands.sql
-- Deletes commands that ended long ago, oldest first, at most max_commands: call it again until it answers 0. The events
-- stay. A deleted command is forgotten: its id, sent again, is a new command, so the retention must be longer than any
-- client repeats (30 days at least; 90 unless told otherwise). Failed commands stay until an operator has retried them.
-- An operator, or a schedule, calls it. Raises IN422.
create or replace function intent.prune_commands(older_than interval default '90 days', max_commands integer default 10000) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  pruned integer;
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
  perform intent.log_operator('prune_commands', null, jsonb_build_object('olderThan', older_than, 'pruned', pruned));
  return pruned;
end
$$;
comment on function intent.prune_commands(interval, integer) is 'Deletes commands that ended long ago; answers how many.';
grant execute on function intent.prune_commands(interval, integer) to intent_operator;
--! EndIncluded intent/prune_commands.sql
--! Included intent/dedicated_tenants.sql
-- The tenants that have task queues of their own: the worker serves each with a Worker.
create or replace function intent.dedicated_tenants() returns setof uuid
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select tenant_id from intent.tenants where isolation = 'dedicated' and status = 'active' order by tenant_id;
$$;
comment on function intent.dedicated_tenants() is 'The tenants that have task queues of their own.';
grant execute on function intent.dedicated_tenants() to intent_worker;
--! EndIncluded intent/dedicated_tenants.sql
--! Included intent/create_tenant.sql
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
comment on function intent.create_tenant(uuid, text, text) is 'Creates a tenant; isolation: shared or dedicated.';
grant execute on function intent.create_tenant(uuid, text, text) to intent_operator;
--! EndIncluded intent/create_tenant.sql
--! Included intent/add_member.sql
-- Makes a user an active member of a tenant, or changes its role. An operator calls it: a tenant's first owner comes so.
create or replace function intent.add_member(tenant_id uuid, user_id uuid, role text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform intent.log_operator('add_member', tenant_id, jsonb_build_object('userId', user_id, 'role', role));
  insert into intent.memberships as m (tenant_id, user_id, role) values (tenant_id, user_id, role)
  on conflict on constraint memberships_pkey do update set role = excluded.role, status = 'active';
end
$$;
comment on function intent.add_member(uuid, uuid, text) is 'Makes a user an active member of a tenant, with a role.';
grant execute on function intent.add_member(uuid, uuid, text) to intent_operator;
--! EndIncluded intent/add_member.sql
--! Included intent/custom_access_token_hook.sql
-- Supabase's hook for access tokens: puts tenant_id and tenant_role into the claims. The tenant is the one that this
-- session has switched to, else the user's oldest; a user without a membership gets neither claim.
-- Contract of the hook: event { user_id, claims, authentication_method } → { claims }, with every given claim kept.
create or replace function intent.custom_access_token_hook(event jsonb) returns jsonb
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('claims', event -> 'claims' || coalesce((
    select jsonb_build_object('tenant_id', m.tenant_id, 'tenant_role', m.role)
    from intent.memberships as m
    join intent.tenants as t on t.tenant_id = m.tenant_id
    left join intent.session_tenants as s
      on s.session_id::text = event -> 'claims' ->> 'session_id' and s.user_id = m.user_id and s.tenant_id = m.tenant_id
    where m.user_id::text = event ->> 'user_id' and m.status = 'active' and t.status = 'active'
    order by s.session_id is null, m.created_at, m.tenant_id
    limit 1
  ), '{}'));
$$;
comment on function intent.custom_access_token_hook(jsonb) is 'Supabase''s access-token hook: adds tenant_id and tenant_role.';
grant execute on function intent.custom_access_token_hook(jsonb) to supabase_auth_admin;
--! EndIncluded intent/custom_access_token_hook.sql
--! Included intent/log_operator.sql
-- Leaves a record of who did what across tenants. Called by every function of the operator's.
create or replace function intent.log_operator(action text, tenant_id uuid, details jsonb default '{}') returns void
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into intent.operator_log (action, tenant_id, details) values (action, tenant_id, details);
$$;
comment on function intent.log_operator(text, uuid, jsonb) is 'Leaves a record of who looked across tenants or changed a command.';
grant execute on function intent.log_operator(text, uuid, jsonb) to intent_owner;
--! EndIncluded intent/log_operator.sql
--! Included intent/stream.sql
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
comment on function intent.stream(uuid, text, text) is 'A stream''s events in order. select * from intent.stream(''<tenant>'', ''order'', ''<id>'');';
grant execute on function intent.stream(uuid, text, text) to intent_operator;
--! EndIncluded intent/stream.sql
--! Included intent/tenant_feed.sql
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
comment on function intent.tenant_feed(uuid, bigint) is 'A tenant''s events after a position, in commit order, at most 1,000.';
grant execute on function intent.tenant_feed(uuid, bigint) to intent_operator;
--! EndIncluded intent/tenant_feed.sql
--! Included intent/command_trace.sql
-- All that one request set off, in time order: commands with how they ended, and the events that they made.
create or replace function intent.command_trace(correlation_id uuid)
returns table (at timestamptz, tenant_id uuid, what text, type text, aggregate_type text, aggregate_id text, status text, caused_by uuid, id text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform intent.log_operator('command_trace', null, jsonb_build_object('correlationId', command_trace.correlation_id));
  return query
  with commands as (
    select c.* from intent.commands as c where c.correlation_id = command_trace.correlation_id
  )
  select c.submitted_at, c.tenant_id, 'command', c.type, c.aggregate_type, c.aggregate_id, c.status, c.causation_id, c.command_id::text
  from commands as c
  union all
  select e.recorded_at, e.tenant_id, 'event', e.type, e.aggregate_type, e.aggregate_id, 'version ' || e.version, c.command_id,
    'position ' || e.position
  from commands as c
  join intent.events as e
    on e.tenant_id = c.tenant_id
    and e.position between (c.outcome ->> 'firstPosition')::bigint and (c.outcome ->> 'lastPosition')::bigint
  order by 1, 3;
end
$$;
comment on function intent.command_trace(uuid) is 'All that one request set off: its commands and their events, in time order.';
grant execute on function intent.command_trace(uuid) to intent_operator;
--! EndIncluded intent/command_trace.sql
--! Included intent/backlog.sql
-- What waits, by tenant and status; blocked: behind another command of the same aggregate.
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
  group by c.tenant_id, c.status;
$$;
comment on function intent.read_backlog() is 'What intent.backlog shows.';
grant execute on function intent.read_backlog() to intent_operator;

create or replace view intent.backlog with (security_invoker = true) as select * from intent.read_backlog();
comment on view intent.backlog is 'Open commands by tenant and status; blocked: behind another one of their aggregate.';
grant select on intent.backlog to intent_operator;
--! EndIncluded intent/backlog.sql
--! Included intent/dead_letters.sql
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
comment on function intent.read_dead_letters() is 'What intent.dead_letters shows.';
grant execute on function intent.read_dead_letters() to intent_operator;

create or replace view intent.dead_letters with (security_invoker = true) as select * from intent.read_dead_letters();
comment on view intent.dead_letters is 'Commands that failed for good: select intent.retry_command(tenant_id, command_id) puts one back.';
grant select on intent.dead_letters to intent_operator;
--! EndIncluded intent/dead_letters.sql
--! Included intent/doctor_tables.sql
-- Tables of ours that are gone, and walls that are down: row-level security, tenant walls, privileges to change the log.
-- Tables are a closed list, so that a renamed or detached one shows; a test compares it with the catalogue.
create or replace function intent.doctor_tables() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with expected (name) as (
    select unnest(array[
      'budget_shares', 'budgets', 'checkpoints', 'claim_turns', 'commands', 'events', 'memberships',
      'message_types', 'operator_log', 'orders', 'processes', 'reactions', 'session_tenants', 'snapshots', 'submission_counts',
      'tenants'
    ])
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
  select 'tenant wall missing', ours.name, 'people may read it, and no restrictive policy keeps them to their tenant',
    format('Run sql/fixtures/policies/%s.sql again.', ours.relname)
  from ours
  -- A membership's own policy is by user: it is what the walls look up.
  where ours.relname <> 'memberships' and has_table_privilege('authenticated', ours.oid, 'select')
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
--! EndIncluded intent/doctor_tables.sql
--! Included intent/doctor_triggers.sql
-- Triggers that are missing, disabled or not what they were. The guards of the log must be ENABLE ALWAYS, and refuse what they
-- refused at first: their definition is compared.
create or replace function intent.doctor_triggers() returns table (problem text, object text, detail text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with expected (on_table, name, guard, remedy) as (
    values
      ('events', 'append_only',
        'BEFORE DELETE OR UPDATE ON intent.events FOR EACH ROW EXECUTE FUNCTION intent.refuse_change()', 'intent/refuse_change'),
      ('events', 'never_emptied',
        'BEFORE TRUNCATE ON intent.events FOR EACH STATEMENT EXECUTE FUNCTION intent.refuse_change()', 'intent/refuse_change'),
      ('events', 'project_orders', null, 'order/project_orders'),
      ('events', 'project_budgets', null, 'budget/project_budgets'),
      ('commands', 'ring_doorbell', null, 'intent/ring_doorbell'),
      ('commands', 'ring_doorbell_again', null, 'intent/ring_doorbell'),
      ('commands', 'broadcast_outcome', null, 'intent/broadcast_outcome')
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
      case when e.guard is null then 'what it keeps up to date falls behind'
        else 'recorded events can be changed or deleted' end as detail
    from expected as e
    left join pg_trigger as t
      on t.tgrelid = to_regclass('intent.' || e.on_table) and t.tgname = e.name and not t.tgisinternal
  )
  select compared.problem, compared.object, compared.detail, compared.remedy
  from compared
  where compared.problem is not null;
$$;
comment on function intent.doctor_triggers() is 'What intent.doctor finds in triggers.';
--! EndIncluded intent/doctor_triggers.sql
--! Included intent/doctor_roles.sql
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
  join pg_roles as member on member.oid = m.member and member.rolname in (select bound.name from bound);
$$;
comment on function intent.doctor_roles() is 'What intent.doctor finds in roles.';
--! EndIncluded intent/doctor_roles.sql
--! Included intent/doctor_log.sql
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
--! EndIncluded intent/doctor_log.sql
--! Included intent/doctor_queue.sql
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
    'Look at the workflow <tenant>/command/<command>, and whether a worker serves its task queue.'
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
--! EndIncluded intent/doctor_queue.sql
--! Included intent/doctor.sql
-- What is out of order, with what to do about it; no row when all is well. For an operator, and `intent doctor`.
-- It reads the whole log and every settled command: about 10 s for a million of each on two busy cores, without a lock that
-- anybody waits for. Once an hour is often enough.
-- Where it cannot look, because a table is gone or hidden from it, it says that, and nothing that would not be true.
create or replace function intent.doctor() returns table (problem text, object text, detail text, remedy text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
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
  select * from intent.doctor_log()
  union all
  select * from intent.doctor_queue();
end
$$;
comment on function intent.doctor() is
  'What is out of order, and what to do; empty when all is well. select * from intent.doctor();';
grant execute on function intent.doctor() to intent_operator;
--! EndIncluded intent/doctor.sql
--! Included intent/blocked_commands.sql
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
comment on function intent.read_blocked_commands() is 'What intent.blocked_commands shows.';
grant execute on function intent.read_blocked_commands() to intent_operator;

create or replace view intent.blocked_commands with (security_invoker = true) as select * from intent.read_blocked_commands();
comment on view intent.blocked_commands is 'Due commands that wait for another one of their aggregate, and for which.';
grant select on intent.blocked_commands to intent_operator;
--! EndIncluded intent/blocked_commands.sql
--! Included api/my_tenants.sql
-- The tenants that the signed-in user may switch to. A definer, because policies show it one tenant at a time.
create or replace function api.my_tenants() returns jsonb
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object('tenantId', t.tenant_id, 'name', t.name, 'role', m.role) order by m.created_at, t.tenant_id), '[]')
  from intent.memberships as m
  join intent.tenants as t on t.tenant_id = m.tenant_id
  where m.user_id = intent.current_user_id() and m.status = 'active' and t.status = 'active';
$$;
comment on function api.my_tenants() is 'The user''s tenants: jsonb [{ tenantId, name, role }].';
grant execute on function api.my_tenants() to authenticated;
--! EndIncluded api/my_tenants.sql
--! Included api/switch_tenant.sql
-- Chooses the tenant of this session's next token; other sessions of the user keep theirs. Refresh the token afterwards.
-- Raises IN403 where the user is no member, whether or not the tenant exists.
create or replace function api.switch_tenant(tenant_id uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session uuid := intent.uuid_claim('session_id');
begin
  if session is null or not exists (
    select from intent.memberships as m
    join intent.tenants as t on t.tenant_id = m.tenant_id
    where m.tenant_id = switch_tenant.tenant_id and m.user_id = intent.current_user_id() and m.status = 'active' and t.status = 'active'
  ) then
    raise exception using errcode = 'IN403', message = 'you are not a member of this tenant';
  end if;
  insert into intent.session_tenants as s (session_id, user_id, tenant_id)
  values (session, intent.current_user_id(), switch_tenant.tenant_id)
  on conflict (session_id) do update set tenant_id = excluded.tenant_id, chosen_at = clock_timestamp()
    where s.user_id = excluded.user_id;
end
$$;
comment on function api.switch_tenant(uuid) is 'Chooses the tenant of this session''s next token.';
grant execute on function api.switch_tenant(uuid) to authenticated;
--! EndIncluded api/switch_tenant.sql

reset role;

-- On a table of the platform: needs the migrating role itself.
--! Included policies/realtime_messages.sql
-- Who may join which private channel: Realtime tests these policies as the user, at each join and each new token.
-- There is no insert policy for users: channels are read-only for clients.
drop policy if exists intent_members_listen on realtime.messages;
create policy intent_members_listen on realtime.messages for select to authenticated
  using (
    (select realtime.topic()) in (
      'tenant:' || (select intent.current_tenant_id())::text || ':events',
      'tenant:' || (select intent.current_tenant_id())::text || ':user:' || (select intent.current_user_id())::text
    )
  );

-- intent.send_realtime inserts. Where the platform lets us, its owner stays intent_owner, with a policy and a grant of
-- its own; on hosted projects the migrating role cannot pass its grant on, and becomes that one function's owner.
do $$
begin
  if pg_has_role(current_user, (select relowner from pg_class where oid = 'realtime.messages'::regclass), 'usage') then
    grant usage on schema realtime to intent_owner;
    grant execute on function realtime.send(jsonb, text, text, boolean) to intent_owner;
    grant insert on realtime.messages to intent_owner;
    drop policy if exists intent_owner_sends on realtime.messages;
    create policy intent_owner_sends on realtime.messages for insert to intent_owner with check (true);
  else
    execute format('alter function intent.send_realtime(jsonb, text, text) owner to %I', current_user);
  end if;
end
$$;
--! EndIncluded policies/realtime_messages.sql
--! EndIncluded behaviour.sql
