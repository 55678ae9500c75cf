-- Who reads whose events.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(13);

select intent.append_events(rose(), 'note', 'a', 0, notes(2)), intent.append_events(thorn(), 'note', 'a', 0, notes(3));

select sign_in(carol(), rose());
select is(count(*), '2', 'a member reads the events of its tenant') from intent.events;
select is_empty($$select from intent.events where tenant_id = thorn()$$, 'and none of another one''s, also where it asks for them');
select is(jsonb_array_length(api.read_feed(0) -> 'events'), 2, 'nor in the feed');
select is(api.hydrate('note', 'a') -> 'version', '2', 'nor by a stream of the same name');
select throws_ok($$insert into intent.events select * from intent.events limit 1$$, '42501', null, 'a member adds no event');
select throws_ok($$select intent.append_events(rose(), 'note', 'a', null, notes(1))$$, '42501', null, 'also not by the worker''s function');

select sign_in(dave(), rose());
select is_empty($$select from intent.events$$, 'the claim of a tenant without its membership shows nothing');
select sign_in(bob(), null);
select is_empty($$select from intent.events$$, 'without a tenant there is nothing');
select sign_in(null, rose());
select is_empty($$select from intent.events$$, 'without a user there is nothing');
reset role;
update intent.memberships set status = 'removed' where user_id = carol();
select sign_in(carol(), rose());
select is_empty($$select from intent.events$$, 'a removed member reads nothing, whatever its token says');

reset role;
set local role anon;
select throws_ok($$select from intent.events$$, '42501', null, 'who is not signed in has no access');

reset role;
set local role intent_owner;
select is_empty($$select from intent.events where tenant_id in (rose(), thorn()) and tenant_id::text <> coalesce(nullif(current_setting('intent.tenant_id', true), ''), '')$$,
  'the owner itself sees no tenant but the one that its function has entered');
select intent.enter_tenant(thorn());
select is(count(*), '3', 'and all of that one') from intent.events;

select * from finish();
rollback;
