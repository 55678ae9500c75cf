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

--!include behaviour.sql
