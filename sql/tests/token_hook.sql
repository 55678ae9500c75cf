-- The access-token hook: which tenant a token names, and what becomes of what sessions have chosen.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(17);

create function tests.session(number integer) returns uuid immutable language sql as $$
  select ('e0000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid;
$$;
create function tests.token_of(user_id text, claims jsonb) returns jsonb language plpgsql as $$
begin
  set local role supabase_auth_admin;
  claims := intent.custom_access_token_hook(jsonb_build_object('user_id', user_id, 'claims', claims, 'authentication_method', 'password')) -> 'claims';
  reset role;
  return claims;
end
$$;
create function tests.switch(user_id uuid, session uuid, tenant uuid) returns void language plpgsql as $$
begin
  perform sign_in(user_id, null);
  perform set_config('request.jwt.claims', jsonb_build_object('sub', user_id, 'session_id', session)::text, true);
  perform api.switch_tenant(tenant);
  reset role;
end
$$;
-- Years ago, say: the doing of time.
create function tests.unused_since(days integer, sessions uuid[]) returns void language sql as $$
  update intent.session_tenants set used_at = clock_timestamp() - make_interval(days => days) where session_id = any (sessions);
$$;

select intent.add_member(thorn(), alice(), 'guest');

-- Which tenant.
select is(token_of(alice()::text, '{"aal": "aal1", "n": {"m": 1}}'),
  jsonb_build_object('aal', 'aal1', 'n', '{"m": 1}'::jsonb, 'tenant_id', rose(), 'tenant_role', 'owner'), 'a token names the user''s oldest tenant, and keeps what was given');
select switch(alice(), session(1), thorn());
select is(token_of(alice()::text, jsonb_build_object('session_id', session(1))) ->> 'tenant_id', thorn()::text, 'that of a session that has switched names what it chose');
select is(token_of(alice()::text, jsonb_build_object('session_id', session(2))) ->> 'tenant_id', rose()::text, 'another session''s does not');
select is(token_of(bob()::text, jsonb_build_object('session_id', session(1))) ->> 'tenant_id', rose()::text, 'nor another user''s by the same session');

-- Nobody's.
select is(token_of(gen_random_uuid()::text, jsonb_build_object('tenant_id', rose(), 'tenant_role', 'owner', 'tenant_refused', 'x', 'aal', 'aal1')),
  '{"aal": "aal1"}', 'a user without a tenant gets none, also if one was given');
select is(token_of(null, '{"tenant_id": "x"}'), '{}', 'nor does nobody');
select is(token_of('alice', '{"tenant_id": "x"}'), '{}', 'a user id that is none is nobody''s');
select is(token_of(alice()::text, '{"session_id": "of mine"}') ->> 'tenant_id', rose()::text, 'a session id that is none has chosen nothing');
select is(token_of(alice()::text, '{"session_id": {"a": 1}}') ->> 'tenant_id', rose()::text, 'whatever it is');
update intent.memberships set status = 'removed' where user_id = bob();
select is(token_of(bob()::text, jsonb_build_object('tenant_id', rose())), '{}', 'a member that was removed has no tenant any more');
update intent.tenants set status = 'suspended' where tenant_id = thorn();
select is(token_of(alice()::text, jsonb_build_object('session_id', session(1))) ->> 'tenant_id', rose()::text, 'a tenant that is suspended is no choice');
update intent.tenants set status = 'active' where tenant_id = thorn();

-- What is not used.
select unused_since(80, array[session(1)]);
select token_of(alice()::text, jsonb_build_object('session_id', session(1)));
select ok((select used_at > now() - interval '1 minute' from intent.session_tenants where session_id = session(1)), 'a session that makes tokens is in use');
select unused_since(0, array[session(1)]);
create temp table before as select used_at from intent.session_tenants where session_id = session(1);
select token_of(alice()::text, jsonb_build_object('session_id', session(1)));
select ok((select used_at = (select used_at from before) from intent.session_tenants where session_id = session(1)), 'which is written once a day');

select switch(alice(), session(n), thorn()) from generate_series(10, 59) as n;
select unused_since(91, array(select session(n) from generate_series(10, 59) as n));
select unused_since(89, array[session(1)]);
select switch(alice(), session(60), thorn());
select is((select count(*) from intent.session_tenants), 50 - 20 + 2::bigint, 'a switch forgets twenty that were not used for 90 days');
select switch(alice(), session(60), thorn()) from generate_series(1, 2);
select is((select array_agg(session_id order by session_id) from intent.session_tenants), array[session(1), session(60)], 'the next ones the rest, and no other');
select is(token_of(alice()::text, jsonb_build_object('session_id', session(1))) ->> 'tenant_id', thorn()::text, 'what was used since keeps its choice');
select is(token_of(alice()::text, jsonb_build_object('session_id', session(10))) ->> 'tenant_id', rose()::text, 'what was not begins with the oldest tenant');

select * from finish();
rollback;
