import type pg from 'pg';

const uuid = (kind: string, n: string) => `('${kind}0000000-0000-7000-8000-' || lpad((${n})::text, 12, '0'))::uuid`;

/** The first of the tenants; its owner, an order and a command. */
export const firstOfMany = {
  tenantId: 'a0000000-0000-7000-8000-000000000001',
  owner: 'b0000000-0000-7000-8000-000000000001',
  orderId: 'd0000000-0000-7000-8000-000000000001',
  commandId: 'c0000000-0000-7000-8000-000000000001',
};

/** A thousand tenants with a little of everything, written past triggers and functions: it takes a second. */
export async function fillManyTenants(admin: pg.ClientBase): Promise<void> {
  const [tenant, owner, command, order] = [uuid('a', 't'), uuid('b', 't'), uuid('c', 'n'), uuid('d', 'n')];
  await admin.query(`
    begin;
    set local session_replication_role = replica;
    create temp table t on commit drop as select t from generate_series(1, 1000) as t;
    insert into intent.tenants (tenant_id, name) select ${tenant}, 'Tenant ' || t from t;
    insert into intent.memberships (tenant_id, user_id, role)
      select ${tenant}, ${uuid('b', 't + 1000 * m')}, (array['owner', 'member', 'guest'])[m + 1] from t, generate_series(0, 2) as m;
    insert into intent.events (tenant_id, position, aggregate_type, aggregate_id, version, type, schema_version, payload, metadata)
      select ${tenant}, n, 'order', ${order}, 1, 'OrderPlaced', 1, '{}', '{}' from t, generate_series(1, 20) as n;
    insert into intent.snapshots (tenant_id, aggregate_type, aggregate_id, version, state_version, state)
      select ${tenant}, 'order', ${order}, 1, 1, '{}' from t, generate_series(1, 5) as n;
    insert into intent.orders (tenant_id, order_id, budget_id, status, total, placed_by, version, position)
      select ${tenant}, ${order}, 'groceries', 'placed', 1, ${owner}, 1, n from t, generate_series(1, 20) as n;
    insert into intent.budgets (tenant_id, budget_id, name, spending_limit, version, position)
      select ${tenant}, 'budget-' || n, 'Budget', 1, 1, n from t, generate_series(1, 10) as n;
    insert into intent.commands (tenant_id, command_id, aggregate_type, aggregate_id, type, schema_version, payload, actor_user_id,
        actor_role, correlation_id, request_hash, status, outcome, completed_at)
      select ${tenant}, ${command}, 'order', ${order}, 'PlaceOrder', 1, '{}', ${owner},
        'owner', ${command}, '', 'succeeded', '{}', now() from t, generate_series(1, 20) as n;
    commit;
    analyze intent.tenants, intent.memberships, intent.events, intent.snapshots, intent.orders, intent.budgets, intent.commands`);
}
