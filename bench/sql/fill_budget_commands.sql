-- Fills the queue with commands that an owner has sent: the n-th to budget n modulo budgets, of tenant n modulo tenants. The first
-- to a budget opens it, the others change its limit.
create function bench.fill_budget_commands(commands integer, tenants integer, budgets integer, prefix text) returns void
language sql volatile
set session_replication_role = replica
as $$
  insert into intent.commands
    (tenant_id, command_id, aggregate_type, aggregate_id, type, schema_version, payload, actor_user_id, actor_role, correlation_id,
     request_hash, submitted_at)
  select bench.tenant_id(n % budgets % tenants + 1), of_id.command_id, 'budget', prefix || '-' || n % budgets,
    case when n < budgets then 'OpenBudget' else 'ChangeBudgetLimit' end, 1,
    jsonb_build_object('limit', 100000 + n) || case when n < budgets then '{"name": "Groceries"}'::jsonb else '{}' end,
    gen_random_uuid(), 'owner', of_id.command_id, '\x00', clock_timestamp()
  from generate_series(0, commands - 1) as n,
    -- Of n, or one id would serve them all.
    lateral (select gen_random_uuid() from generate_series(n, n)) as of_id (command_id);
$$;
