-- Commands that recur: who may schedule what, and as whom an occasion's command is sent.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(17);

create function tests.monthly(role_of uuid, cron text default '0 6 1 * *', zone text default 'Europe/Berlin', type text default 'OpenBudget')
returns jsonb language sql as $$
  select sign_in(role_of, rose());
  select api.schedule_command('food', cron, type, 'budget', 'food-{month}', '{"name": "Food {month}", "limit": 40000}', zone);
$$;

select is(monthly(alice()), '{"scheduleId": "food", "cron": "0 6 1 * *", "timeZone": "Europe/Berlin"}', 'an owner schedules a command');
select throws_ok($$select monthly(bob())$$, 'IN403', 'your role may not send OpenBudget', 'a member only what its role sends');
select throws_ok($$select monthly(alice(), type => 'ReserveBudget')$$, 'IN403', null, 'nobody what the system sends');
select throws_ok($$select monthly(alice(), type => 'Nonsense')$$, 'IN422', null, 'nor what there is not');
select throws_ok($$select monthly(alice(), cron => 'monthly')$$, 'IN422', null, 'a cron expression has five fields');
select throws_ok($$select monthly(alice(), zone => 'Mars/Olympus')$$, 'IN422', null, 'a time zone is known');
select throws_ok($$select sign_in(alice(), thorn()), api.schedule_command('x', '* * * * *', 'OpenBudget', 'budget', 'x', '{}')$$, 'IN403', null,
  'another tenant takes none');

select sign_in(bob(), rose());
select is_empty($$select from api.schedules$$, 'a member does not see what others have scheduled');
select throws_ok($$select api.drop_schedule('food')$$, 'IN403', null, 'nor ends it');
reset role;

create function tests.occasion() returns text language sql as $$
  select intent.submit_scheduled_command(rose(), 'food', '2026-12-31 23:30:00+00') ->> 'duplicate';
$$;
select is(occasion(), 'false', 'an occasion''s command is sent');
select is(occasion(), 'true', 'once');
select results_eq($$select aggregate_id, payload ->> 'name', actor_user_id, actor_role from intent.commands where tenant_id = rose()$$,
  $$values ('food-2027-01', 'Food 2027-01', alice(), 'owner')$$, 'as who scheduled it, with the month where it is scheduled');
select is(intent.submit_scheduled_command(thorn(), 'food', now()), null, 'another tenant has no such schedule');
select lives_ok($$select intent.add_member(rose(), bob(), 'owner')$$, 'another owner comes');
update intent.memberships set status = 'removed' where tenant_id = rose() and user_id = alice();
select is(intent.submit_scheduled_command(rose(), 'food', now()), null, 'for a member who is gone nothing is sent');
select sign_in(bob(), rose());
select results_eq($$select paused_because from api.schedules$$, $$values ('who scheduled it is no longer a member')$$, 'an owner sees why');
select lives_ok($$select api.drop_schedule('food')$$, 'and ends it');

select * from finish();
rollback;
