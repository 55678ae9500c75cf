-- Who hears whose broadcasts, and who is present where. Realtime asks as the user, for the topic of the channel, and rolls back.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(14);

create function tests.events_of(tenant uuid) returns text language sql immutable return 'tenant:' || tenant || ':events';
create function tests.inbox_of(tenant uuid, person uuid) returns text language sql immutable return 'tenant:' || tenant || ':user:' || person;
create function tests.join_channel(topic text) returns void language sql
begin atomic select set_config('realtime.topic', topic, true); end;
create function tests.is_present(topic text) returns void language sql
as $$ insert into realtime.messages (topic, extension) values (topic, 'presence') $$;

insert into realtime.messages (topic, extension, private)
select topic, extension, true
from unnest(array[events_of(rose()), events_of(thorn()), inbox_of(rose(), bob()), inbox_of(rose(), carol())]) as topic,
  unnest(array['broadcast', 'presence']) as extension;
create view tests.shown as select extension from realtime.messages where topic = realtime.topic();
alter view tests.shown set (security_invoker = true);
grant select on tests.shown to authenticated;

select sign_in(bob(), rose());
select join_channel(events_of(rose()));
select results_eq('select extension from shown order by 1', $$values ('broadcast'), ('presence')$$, 'a member hears its tenant''s broadcasts, and sees who is there');
select lives_ok($$select is_present(events_of(rose()))$$, 'and may be seen');
select throws_ok($$insert into realtime.messages (topic, extension) values (events_of(rose()), 'broadcast')$$, '42501', null, 'but sends no broadcast');
select throws_ok($$select is_present(events_of(thorn()))$$, '42501', null, 'nor is it seen on a channel that it has not joined');
select is_empty($$select from realtime.messages where topic <> events_of(rose())$$, 'and no row of another channel shows');

select join_channel(inbox_of(rose(), bob()));
select results_eq('select extension from shown order by 1', $$values ('broadcast')$$, 'one''s own outcomes are heard, without presence');
select throws_ok($$select is_present(inbox_of(rose(), bob()))$$, '42501', null, 'and there is none');
select join_channel(inbox_of(rose(), carol()));
select is_empty('select from shown', 'another member''s outcomes are not heard');

select join_channel(events_of(thorn()));
select is_empty('select from shown', 'another tenant''s channel shows nothing');
select throws_ok($$select is_present(events_of(thorn()))$$, '42501', null, 'and nobody appears on it');

select sign_in(dave(), rose());
select join_channel(events_of(rose()));
select is_empty('select from shown', 'the claim of a tenant without its membership shows nothing');
select throws_ok($$select is_present(events_of(rose()))$$, '42501', null, 'and makes nobody present');

reset role;
update intent.memberships set status = 'removed' where user_id = carol();
select sign_in(carol(), rose());
select is_empty('select from shown', 'a removed member hears and sees nothing');
select throws_ok($$select is_present(events_of(rose()))$$, '42501', null, 'and is not seen');

select * from finish();
rollback;
