import { claimsIn, commandId, orderId, rose, thorn } from './households.ts';
import type { Pitfall } from './pitfall.ts';
import { without } from './pitfall.ts';

// What a policy, a view, a key or a partition lets through.

const dave = { claims: claimsIn(thorn, thorn.owner) };
const inThorn = ['intent_owner', `select intent.enter_tenant('${thorn.tenantId}')`] as const;
const roseHas = commandId.replace('1', '2');
const ordersOfRose = `select from intent.orders where tenant_id = '${rose.tenantId}'`;

export const pitfallsOfPolicies: readonly Pitfall[] = [
  {
    number: 12,
    name: 'views need security_invoker, above all where an administrator has made them',
    given: 'alter view api.orders owner to current_user',
    attempt: [[dave, 'select from api.orders']],
    guarded: '1 rows',
    unguard: 'alter view api.orders reset (security_invoker)',
    unguarded: '2 rows',
  },
  {
    number: 13,
    name: 'materialized views leak: there is none (the census sees to it)',
    attempt: [[dave, 'select from api.totals']],
    guarded: '42P01',
    unguard: `create materialized view api.totals as select order_id, total from intent.orders where tenant_id = '${rose.tenantId}';
      grant select on api.totals to authenticated`,
    unguarded: '1 rows',
  },
  {
    number: 14,
    name: 'direct access to a partition needs a wall of its own (the census asks for it)',
    given: `create table intent.parted (like intent.orders) partition by hash (tenant_id);
      create table intent.parted_0 partition of intent.parted for values with (modulus 1, remainder 0);
      insert into intent.parted select * from intent.orders;
      grant select on intent.parted, intent.parted_0 to authenticated;
      alter table intent.parted enable row level security;
      alter table intent.parted_0 enable row level security`,
    attempt: [[dave, `select from intent.parted_0 where tenant_id = '${rose.tenantId}'`]],
    guarded: '0 rows',
    unguard: 'alter table intent.parted_0 disable row level security',
    unguarded: '1 rows',
  },
  {
    number: 17,
    name: "a unique key without the tenant tells that another tenant's row exists",
    attempt: [[dave, `select api.submit_command('${roseHas}', 'CancelOrder', 'order', '${orderId}', '{}')`]],
    given: `update intent.commands set command_id = '${roseHas}' where tenant_id = '${rose.tenantId}' and status = 'pending'`,
    guarded: '1 rows',
    unguard: `delete from intent.commands where tenant_id = '${thorn.tenantId}';
      create unique index on intent.commands (command_id)`,
    unguarded: '23505',
  },
  {
    number: 18,
    name: 'foreign keys must include the tenant',
    attempt: [
      ['intent_system', `insert into intent.session_tenants (session_id, user_id, tenant_id)
        values (gen_random_uuid(), '${thorn.owner}', '${rose.tenantId}')`],
    ],
    guarded: '23503',
    unguard: 'alter table intent.session_tenants drop constraint session_tenants_tenant_id_user_id_fkey',
    unguarded: '1 rows, changed intent.session_tenants',
  },
  {
    number: 19,
    name: "ON CONFLICT DO UPDATE on another tenant's row",
    attempt: [inThorn, ['intent_owner', `insert into intent.snapshots
        (tenant_id, aggregate_type, aggregate_id, version, state_version, state)
      values ('${rose.tenantId}', 'order', '${orderId}', 1, 2, '{"forged": true}')
      on conflict (tenant_id, aggregate_type, aggregate_id) do update set state = excluded.state`]],
    guarded: '42501',
    unguard: 'alter policy owner_in_tenant on intent.snapshots using (true) with check (true)',
    unguarded: '1 rows, changed intent.snapshots',
  },
  {
    number: 19,
    name: "ON CONFLICT DO UPDATE on the row of another user's session",
    attempt: [[{ claims: { ...dave.claims, session_id: rose.member } }, `select api.switch_tenant('${thorn.tenantId}')`]],
    guarded: '1 rows',
    unguard: `alter table intent.session_tenants drop constraint session_tenants_tenant_id_user_id_fkey;
      ${without('api.switch_tenant(uuid)', 'where s.user_id = excluded.user_id')}`,
    unguarded: '1 rows, changed intent.session_tenants',
  },
  {
    number: 20,
    name: 'changing tenant_id, in a function of ours',
    given: `delete from intent.orders where tenant_id = '${rose.tenantId}'`,
    attempt: [inThorn, ['intent_owner', `update intent.orders set tenant_id = '${rose.tenantId}'`]],
    guarded: '42501',
    unguard: 'alter policy owner_in_tenant on intent.orders with check (true)',
    unguarded: '1 rows, changed intent.orders',
  },
  {
    number: 20,
    name: 'changing tenant_id, by people, should they ever get the privilege and a policy',
    given: `delete from intent.orders where tenant_id = '${rose.tenantId}';
      grant update on intent.orders to authenticated;
      create policy members_write on intent.orders for update to authenticated using (true) with check (true)`,
    attempt: [[dave, `update intent.orders set tenant_id = '${rose.tenantId}'`]],
    guarded: '42501',
    unguard: 'drop policy tenant_wall on intent.orders',
    unguarded: '1 rows, changed intent.orders',
  },
  {
    number: 21,
    name: 'RETURNING needs a SELECT policy, or nobody can submit',
    attempt: [[dave, `select api.submit_command(gen_random_uuid(), 'CancelOrder', 'order', '${orderId}', '{}')`]],
    guarded: '1 rows',
    unguard: `drop policy owner_in_tenant on intent.commands;
      create policy owner_in_tenant on intent.commands for insert to intent_owner with check (true)`,
    unguarded: '42501',
  },
  {
    number: 22,
    name: 'FOR UPDATE SKIP LOCKED needs an UPDATE policy, or the pump idles silently',
    attempt: [['intent_pump', `select from intent.claim_commands('pump', 10, '1 minute') where tenant_id = '${thorn.tenantId}'`]],
    given: `delete from intent.commands where tenant_id = '${rose.tenantId}'`,
    guarded: '1 rows',
    unguard: 'drop policy system_claims on intent.commands',
    unguarded: '0 rows',
  },
  {
    number: 29,
    name: 'permissive policies are ORed: one that forgets the tenant meets the wall',
    given: 'create policy convenience on intent.orders for select to authenticated using (true)',
    attempt: [[dave, ordersOfRose]],
    guarded: '0 rows',
    unguard: 'drop policy tenant_wall on intent.orders',
    unguarded: '1 rows',
  },
  {
    number: 29,
    name: 'a restrictive policy that is lost opens nothing: the wall stands in the permissive one too',
    given: 'drop policy tenant_wall on intent.orders',
    attempt: [[dave, ordersOfRose]],
    guarded: '0 rows',
    unguard: 'alter policy members_read on intent.orders using (true)',
    unguarded: '1 rows',
  },
  {
    number: 29,
    name: "permissive policies are ORed: one that shows another member's row of memberships meets the wall",
    given: 'create policy convenience on intent.memberships for select to authenticated using (true)',
    attempt: [[dave, `select from intent.memberships where user_id = '${rose.owner}'`]],
    guarded: '0 rows',
    unguard: 'drop policy user_wall on intent.memberships',
    unguarded: '1 rows',
  },
  {
    number: 29,
    name: 'permissive policies are ORed: a permissive wall is none',
    attempt: [[dave, ordersOfRose]],
    guarded: '0 rows',
    given: 'create policy convenience on intent.orders for select to authenticated using (true)',
    unguard: `drop policy tenant_wall on intent.orders;
      create policy tenant_wall on intent.orders to authenticated using (tenant_id = intent.current_tenant_id())`,
    unguarded: '1 rows',
  },
];
