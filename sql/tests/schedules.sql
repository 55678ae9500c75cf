-- Commands that recur: who may schedule what, and as whom an occasion's command is sent.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(42);

create function tests.monthly(role_of uuid, cron text default '0 6 1 * *', zone text default 'Europe/Berlin', type text default 'OpenBudget')
returns jsonb language sql as $$
  select sign_in(role_of, rose());
  select api.schedule_command('food', cron, type, 'budget', 'food-{month}', '{"name": "Food {month}", "limit": 40000}', zone);
$$;

select is(monthly(alice()) - 'nextOccasions', '{"scheduleId": "food", "cron": "0 6 1 * *", "timeZone": "Europe/Berlin", "skipped": []}',
  'an owner schedules a command');
select is(jsonb_array_length(monthly(alice()) -> 'nextOccasions'), 5, 'and is shown when it will be sent');
select throws_ok($$select monthly(bob())$$, 'IN403', 'your role may not send OpenBudget', 'a member only what its role sends');
select throws_ok($$select monthly(alice(), type => 'ReserveBudget')$$, 'IN403', null, 'nobody what the system sends');
select throws_ok($$select monthly(alice(), type => 'Nonsense')$$, 'IN422', null, 'nor what there is not');
select throws_ok($$select monthly(alice(), cron => 'monthly')$$, 'IN422', null, 'a cron expression has five fields');
select throws_ok(format('select monthly(alice(), cron => %L)', cron), 'IN422', problem, format('%s is refused in words', cron))
from (values
  ('61 6 1 * *', 'cron: "61" is no minute from 0 to 59, nor a range (1-5), step (*/15) or list (1,3) of them'),
  ('0 24 1 * *', null), ('0 6 0 * *', null), ('0 6 1 FOO *', null), ('0 6 1 * 8', null), ('0 6-5 1 * *', null), ('0 */0 1 * *', null),
  ('0 6, 1 * *', null), ('0 6 - * *', null), ('0 6 1-3-5 * *', null),
  ('0 0 31 2 *', 'cron: "0 0 31 2 *" never comes, there is no such day'),
  ('0 0 31 4,6,9,11 *', null),
  ('*/4 * * * *', 'cron: occasions are 4 minutes apart, and must be 5 at least'),
  ('0,59 0,23 * * *', 'cron: occasions are 1 minutes apart, and must be 5 at least')
) as bad (cron, problem);
select lives_ok($$select monthly(alice(), cron => '0 0 29 2 MON')$$, 'a day that comes every 28 years is one');
select throws_ok($$select monthly(alice(), zone => 'Mars/Olympus')$$, 'IN422', null, 'a time zone is known');
select throws_ok($$select sign_in(alice(), thorn()), api.schedule_command('x', '* * * * *', 'OpenBudget', 'budget', 'x', '{}')$$, 'IN403', null,
  'another tenant takes none');

select sign_in(bob(), rose());
select is_empty($$select from api.schedules$$, 'a member does not see what others have scheduled');
select throws_ok($$select api.drop_schedule('food')$$, 'IN403', null, 'nor ends it');
reset role;

-- Summer time.
select is(intent.describe_occasions('30 2 * * *', 'Europe/Berlin', '2027-03-27 12:00Z'),
  '{"nextOccasions": ["2027-03-29T00:30:00.000000Z", "2027-03-30T00:30:00.000000Z", "2027-03-31T00:30:00.000000Z", "2027-04-01T00:30:00.000000Z",
    "2027-04-02T00:30:00.000000Z"], "skipped": ["2027-03-28 02:30", "2028-03-26 02:30"]}',
  'a time that the clock skips is said');

select is(intent.describe_occasions('30 1 7 11 *', 'America/New_York', '2027-11-01 12:00Z') #>> '{nextOccasions,0}', '2027-11-07T05:30:00.000000Z',
  'one that it shows twice is one occasion');
select is(intent.describe_occasions('0 * 7 11 *', 'America/New_York', '2027-11-07 05:30Z') #>> '{nextOccasions,0}', '2027-11-07T06:00:00.000000Z',
  'if it does not run in every hour');

-- Limits.
create function tests.chore(number integer) returns jsonb language sql as $$
  select api.schedule_command('chore-' || number, '0 6 * * *', 'PlaceOrder', 'order', '{uuid}',
    '{"budgetId": "food", "lines": [{"item": "Bread", "quantity": 1, "unitPrice": 1}]}');
$$;
select sign_in(carol(), rose());
select lives_ok($$select chore(n) from generate_series(1, 20) as n$$, 'a guest has some schedules');
select throws_ok($$select chore(21)$$, 'IN422', 'you have 20 schedules, and a member may have 20: drop one first', 'but not any number');
select lives_ok($$select chore(20)$$, 'and may still change them');
set local role intent_operator;
select lives_ok($$select intent.set_schedule_limits(rose(), null, null)$$, 'an operator can lift the limits');
select sign_in(carol(), rose());
select lives_ok($$select chore(21), api.schedule_command('often', '* * * * *', 'PlaceOrder', 'order', '{uuid}', '{"budgetId": "food"}')$$, 'then there are none');
reset role;

create function tests.occasion() returns text language sql as $$
  select intent.submit_scheduled_command(rose(), 'food', '2026-12-31 23:30:00+00') ->> 'duplicate';
$$;
select is(occasion(), 'false', 'an occasion''s command is sent');
select is(occasion(), 'true', 'once');
select results_eq($$select intent.submit_scheduled_command(rose(), 'food', moment::timestamptz) ->> 'duplicate'
    from unnest(array['2027-10-31 00:30Z', '2027-10-31 01:30Z']) as moment$$,
  $$values ('false'), ('true')$$, 'also when the clock shows its time twice');
delete from intent.commands where aggregate_id = 'food-2027-10';
select results_eq($$select aggregate_id, payload ->> 'name', actor_user_id, actor_role from intent.commands where tenant_id = rose()$$,
  $$values ('food-2027-01', 'Food 2027-01', alice(), 'owner')$$, 'as who scheduled it, with the month where it is scheduled');
select is(intent.submit_scheduled_command(thorn(), 'food', now()), null, 'another tenant has no such schedule');
select lives_ok($$select intent.add_member(rose(), bob(), 'owner')$$, 'another owner comes');
update intent.memberships set status = 'removed' where tenant_id = rose() and user_id = alice();
select is(intent.submit_scheduled_command(rose(), 'food', now()), null, 'for a member who is gone nothing is sent');
select sign_in(bob(), rose());
select results_eq($$select paused_because from api.schedules where schedule_id = 'food'$$, $$values ('who scheduled it is no longer a member')$$, 'an owner sees why');
select lives_ok($$select api.drop_schedule('food')$$, 'and ends it');

select * from finish();
rollback;
