-- A user who was banned or deleted in Auth: an operator ends all that it has here.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(16);

create function tests.removal_of(user_id uuid) returns text language plpgsql as $$
declare
  detail text;
begin
  return intent.remove_user(user_id);
exception when sqlstate 'IN422' then
  get stacked diagnostics detail = pg_exception_detail;
  return detail;
end
$$;

select intent.add_member(thorn(), bob(), 'guest');
insert into intent.session_tenants (session_id, user_id, tenant_id)
values (gen_random_uuid(), bob(), thorn()), (gen_random_uuid(), carol(), rose());
select sign_in(bob(), rose());
select api.schedule_command('mine', '0 0 1 * *', 'PlaceOrder', 'order', '{uuid}', '{}');
select sign_in(carol(), rose());
select api.schedule_command('hers', '0 0 1 * *', 'PlaceOrder', 'order', '{uuid}', '{}');
select throws_ok($$select intent.remove_user(bob())$$, '42501', null, 'people do not remove users');
reset role;

set local role intent_operator;
select is(removal_of(bob())::jsonb, jsonb_build_object('tenants', jsonb_build_array(rose(), thorn()), 'schedules', 1), 'an operator removes a user, and is told of what');
select is(removal_of(bob())::jsonb, '{"tenants": [], "schedules": 0}', 'again: nothing is left');
select is(removal_of(gen_random_uuid())::jsonb, '{"tenants": [], "schedules": 0}', 'an unknown user has nothing');
select is(removal_of(alice())::jsonb, jsonb_build_object('lastOwnerOf', jsonb_build_array(rose())), 'the last owner of a tenant is not removed, and the tenant is named');
reset role;

select results_eq($$select tenant_id, status from intent.memberships where user_id = bob() order by 1$$,
  $$values (rose(), 'removed'), (thorn(), 'removed')$$, 'its memberships are over, in every tenant');
select is_empty($$select from intent.session_tenants where user_id = bob()$$, 'its sessions have no tenant');
select results_eq($$select schedule_id from intent.schedules$$, $$values ('hers')$$, 'its schedules are gone, those of others are not');
select results_eq($$select count(*) from intent.session_tenants where user_id = carol()$$, $$values (1::bigint)$$, 'nor is what others'' sessions chose');
select results_eq($$select count(*) from intent.membership_log where subject_user_id = bob() and action = 'removed'$$, $$values (2::bigint)$$, 'each tenant''s record has it');
select results_eq($$select details -> 'userId' from intent.operator_log where action = 'remove_user' and details -> 'tenants' <> '[]'$$,
  $$select to_jsonb(bob())$$, 'so has the operator''s');
select results_eq($$select status from intent.memberships where user_id = alice()$$, $$values ('active')$$, 'of who is not removed nothing is changed');
select sign_in(bob(), rose());
select is(intent.current_tenant_id(), null, 'its token opens nothing any more');
reset role;

-- Whom a tenant has only invited.
insert into intent.memberships (tenant_id, user_id, role, status, expires_at) values (thorn(), carol(), 'guest', 'invited', now() + interval '1 day');
select is(removal_of(carol())::jsonb, jsonb_build_object('tenants', jsonb_build_array(rose(), thorn()), 'schedules', 1), 'invitations end, too');
select results_eq($$select topic from realtime.messages where event = 'removed' and payload ->> 'userId' = carol()::text$$,
  $$select 'tenant:' || rose() || ':events'$$, 'but only the tenants that the user belonged to are told');

-- The way out.
select intent.add_member(rose(), carol(), 'owner');
select is(removal_of(alice())::jsonb, jsonb_build_object('tenants', jsonb_build_array(rose()), 'schedules', 0), 'with another owner, it is');

select * from finish();
rollback;
