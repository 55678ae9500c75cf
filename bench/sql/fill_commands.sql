-- Fills the queue: commands of one status, the n-th of tenant n modulo tenants and of aggregate n modulo aggregates.
create function bench.fill_commands(status text, commands integer, tenants integer, aggregates integer) returns void
language sql volatile
set session_replication_role = replica
as $$
  insert into intent.commands
    (tenant_id, command_id, aggregate_type, aggregate_id, type, schema_version, payload, actor_role, correlation_id, request_hash,
     status, outcome, submitted_at, completed_at)
  select bench.tenant_id(n % tenants + 1), of_id.command_id, 'note', 'stream-' || n % aggregates, 'ConfirmOrder', 1,
    jsonb_build_object('text', repeat('x', 100)), 'system', of_id.command_id, '\x00',
    fill_commands.status, case when ended then '{}'::jsonb end, clock_timestamp(), case when ended then clock_timestamp() end
  from generate_series(1, commands) as n,
    lateral (select fill_commands.status not in ('pending', 'dispatched')) as of_status (ended),
    -- Of n, or one id would serve them all. A command correlates with itself, as most do.
    lateral (select gen_random_uuid() from generate_series(n, n)) as of_id (command_id);
$$;
