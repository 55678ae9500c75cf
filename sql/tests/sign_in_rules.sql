-- A tenant that asks for a second factor, or lets third-party applications in: what the claims aal and client_id open, in everything
-- that a member can do, and not in the token's making only.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(49);

create function tests.sign_in_with(user_id uuid, tenant_id uuid, more jsonb) returns void language plpgsql as $$
begin
  perform set_config('role', 'authenticated', true);
  perform set_config('request.jwt.claims', (jsonb_build_object('role', 'authenticated', 'sub', user_id, 'tenant_id', tenant_id) || more)::text, true);
end
$$;
create function tests.reason_of(call text) returns text language plpgsql as $$
declare
  detail text;
begin
  execute call;
  return 'none';
exception when sqlstate 'IN403' then
  get stacked diagnostics detail = pg_exception_detail;
  return detail::jsonb ->> 'reason';
end
$$;
create function tests.place(number integer) returns text immutable language sql as $$
  select format('select api.submit_command(%L, ''PlaceOrder'', ''order'', %L, ''{}'')', command_id(number), order_id(number));
$$;
create function tests.token_of(user_id uuid, claims jsonb) returns jsonb language sql as $$
  select intent.custom_access_token_hook(jsonb_build_object('user_id', user_id, 'claims', claims, 'authentication_method', 'password')) -> 'claims';
$$;
create function tests.joins() returns bigint language sql as $$
  select set_config('realtime.topic', 'tenant:' || rose() || ':events', true);
  select count(*) from realtime.messages;
$$;
create view tests.rows_of as
  select 'tenants' as of, count(*) from intent.tenants union all select 'commands', count(*) from intent.commands
  union all select 'events', count(*) from intent.events union all select 'log', count(*) from intent.membership_log;
alter view tests.rows_of set (security_invoker = true);
grant select on tests.rows_of to authenticated;

select intent.append_events(rose(), 'note', 'a', 0, notes(3));
select intent.add_member(thorn(), alice(), 'guest');
insert into realtime.messages (topic, extension, private) values ('tenant:' || rose() || ':events', 'broadcast', true);

-- The operator's.
set local role intent_operator;
select lives_ok($$select intent.set_sign_in_rules(rose(), true, null)$$, 'an operator has a tenant ask for a second factor');
select throws_ok($$select intent.set_sign_in_rules(gen_random_uuid(), true, null)$$, 'IN404', null, 'a tenant, that is');
reset role;
select results_eq($$select tenant_id, details from intent.operator_log where action = 'set_sign_in_rules'$$,
  $$values (rose(), '{"requiresAal2": true}'::jsonb)$$, 'which is recorded');

-- One factor.
select sign_in_with(alice(), rose(), '{"aal": "aal1", "session_id": "e0000000-0000-7000-8000-000000000001"}');
select is(intent.current_tenant_id(), null, 'a session of one factor has no tenant');
select is((select sum(count) from rows_of), 0::numeric, 'and is shown no row');
select is(joins(), 0::bigint, 'nor joins a channel');
select is(api.read_feed(0) ->> 'headPosition', '0', 'reads no feed');
select is(api.hydrate('note', 'a') ->> 'version', '0', 'no stream');
select is(api.members(), '[]', 'and no members');
select is(reason_of(place(1)), 'second_factor_required', 'a submission says why');
select throws_ok(place(1), 'IN403', 'this tenant asks for a second factor', 'in words, too');
select is(reason_of($$select api.invite_member(bob(), 'guest')$$), 'second_factor_required', 'so does an invitation');
select is(reason_of($$select api.change_role(bob(), 'guest')$$), 'second_factor_required', 'a change of role');
select is(reason_of($$select api.remove_member(bob())$$), 'second_factor_required', 'a removal');
select is(reason_of($$select api.remove_member(alice())$$), 'second_factor_required', 'to leave');
select is(reason_of($$select api.schedule_command('s', '0 0 1 * *', 'PlaceOrder', 'order', '{uuid}', '{}')$$), 'second_factor_required', 'a schedule');
select is(reason_of($$select api.drop_schedule('s')$$), 'second_factor_required', 'its end');
select is(reason_of($$select api.set_sign_in_rules(false)$$), 'second_factor_required', 'to ask for less');
select is(reason_of($$select api.switch_tenant(rose())$$), 'second_factor_required', 'and to switch there');
select is(reason_of($$select api.switch_tenant(thorn())$$), 'none', 'another tenant of the user asks for nothing');
select is(api.my_tenants() #>> '{0,refusedBecause}', 'second_factor_required', 'its tenants say which one does');
select is(api.my_tenants() #> '{1,refusedBecause}', null, 'and which one does not');
select sign_in_with(alice(), rose(), '{"aal": ["aal2"]}');
select is(intent.current_tenant_id(), null, 'a claim that is no text is no second factor');
select sign_in_with(dave(), rose(), '{"aal": "aal1"}');
select is(reason_of(place(1)), 'not_a_member', 'who is no member does not learn of the rule');
select is(reason_of($$select api.switch_tenant(rose())$$), 'not_a_member', 'also not by switching');

-- Two.
select sign_in_with(alice(), rose(), '{"aal": "aal2"}');
select is(intent.current_tenant_id(), rose(), 'a session of two factors has its tenant');
select ok(joins() > 0, 'joins');
select is(reason_of(place(1)), 'none', 'and submits');
reset role;

-- The token.
select is(token_of(bob(), '{"aal": "aal1"}'), '{"aal": "aal1", "tenant_refused": "second_factor_required"}', 'a token of one factor names no tenant, and says why');
select is(token_of(bob(), '{"aal": "aal2"}') ->> 'tenant_id', rose()::text, 'one of two does');
select is(token_of(alice(), '{"aal": "aal1"}') ->> 'tenant_id', thorn()::text, 'a user with another tenant gets that one');
select sign_in_with(bob(), null, '{"aal": "aal1", "tenant_refused": "second_factor_required"}');
select set_config('request.jwt.claims', (current_setting('request.jwt.claims')::jsonb - 'tenant_id')::text, true);
select is(reason_of(place(2)), 'second_factor_required', 'a submission with that token says why, too');
reset role;

-- Invitations.
insert into intent.memberships (tenant_id, user_id, role, status, invited_by, expires_at)
values (rose(), dave(), 'guest', 'invited', alice(), clock_timestamp() + interval '1 day');
select sign_in_with(dave(), thorn(), '{"aal": "aal1"}');
select is(reason_of($$select api.accept_invitation(rose())$$), 'second_factor_required', 'an invitation is accepted with the second factor');
select is(jsonb_array_length(api.my_invitations()), 1, 'and seen before');
select sign_in_with(dave(), thorn(), '{"aal": "aal2"}');
select is(reason_of($$select api.accept_invitation(rose())$$), 'none', 'with it, it is');

-- Applications of others.
select sign_in_with(alice(), rose(), '{"aal": "aal2", "client_id": "f0000000-0000-7000-8000-000000000001", "session_id": "e0000000-0000-7000-8000-000000000001"}');
select is(intent.current_tenant_id(), null, 'a third-party application''s token has no tenant');
select is((select sum(count) from rows_of), 0::numeric, 'and is shown no row');
select is(reason_of(place(3)), 'client_not_allowed', 'a submission says why');
select is(reason_of($$select api.switch_tenant(thorn())$$), 'client_not_allowed', 'so does a switch');
select is(api.my_tenants(), '[]', 'it does not learn of the user''s tenants');
reset role;
select is(token_of(alice(), '{"aal": "aal2", "client_id": "x"}'), '{"aal": "aal2", "client_id": "x", "tenant_refused": "client_not_allowed"}', 'nor is one in its token');

-- The owner's.
select sign_in_with(alice(), rose(), '{"aal": "aal2"}');
select is(api.set_sign_in_rules(allows_oauth_clients => true), '{"requiresAal2": true, "allowsOauthClients": true}', 'an owner lets applications in');
select sign_in_with(alice(), rose(), '{"aal": "aal2", "client_id": "x"}');
select is(reason_of(place(3)), 'none', 'which act for its members then');
select is(reason_of($$select api.set_sign_in_rules(false)$$), 'client_not_allowed', 'but do not say how members sign in');
select sign_in_with(alice(), rose(), '{"aal": "aal2"}');
select is(api.set_sign_in_rules(false, false), '{"requiresAal2": false, "allowsOauthClients": false}', 'both can be taken back');
select sign_in_with(alice(), rose(), '{"aal": "aal1"}');
select is(reason_of($$select api.set_sign_in_rules(true)$$), 'second_factor_required', 'no owner locks itself out');
select is(api.set_sign_in_rules(), '{"requiresAal2": false, "allowsOauthClients": false}', 'and may look');
select sign_in_with(bob(), rose(), '{"aal": "aal2"}');
select throws_ok($$select api.set_sign_in_rules(true)$$, 'IN403', 'only an owner of the tenant may do this', 'a member may not');
reset role;
select is((select array_agg(details ->> 'userId' order by asked_at) from intent.operator_log where action = 'set_sign_in_rules' and details ? 'userId'),
  array[alice()::text, alice()::text], 'what owners set is recorded, with their names');

select * from finish();
rollback;
