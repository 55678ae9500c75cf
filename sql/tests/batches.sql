-- Many commands of a tenant in one transaction: what is loaded together, and that a run is settled whole or not at all.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(17);

select submit(alice(), rose(), command_id(1), 'OpenBudget', 'budget', 'food', '{"name": "Food", "limit": 100}');
select submit(alice(), rose(), command_id(2), 'ChangeBudgetLimit', 'budget', 'food', '{"limit": 200}');
select submit(alice(), rose(), command_id(3), 'ChangeBudgetLimit', 'budget', 'food', '{"limit": 300}');
select submit(alice(), rose(), command_id(4), 'ChangeBudgetLimit', 'budget', 'food', '{"limit": 400}', clock_timestamp() + interval '1 hour');
select submit(bob(), rose(), command_id(5), 'OpenBudget', 'budget', 'travel', '{"name": "Travel", "limit": 100}');
select submit(dave(), thorn(), command_id(6), 'OpenBudget', 'budget', 'food', '{"name": "Food", "limit": 100}');

create function tests.loaded(max_followers integer) returns jsonb language sql as $$
  select jsonb_path_query_array(run, '$.commands[*].commandId')
  from jsonb_array_elements(intent.load_batch(rose(), array[command_id(1), command_id(5), command_id(6)], max_followers, '{}')) as run
  where run ->> 'aggregateId' = 'food';
$$;
create function tests.note(command uuid, version bigint, events jsonb default notes(1)) returns jsonb language sql as $$
  select jsonb_build_object('aggregateType', 'budget', 'aggregateId', 'food', 'expectedVersion', version, 'decisions', jsonb_build_array(
    jsonb_build_object('commandId', command, 'events', events)));
$$;

select is(loaded(10), jsonb_build_array(command_id(1), command_id(2), command_id(3)), 'those that wait behind come along, in their order, but for what is not due');
select is(loaded(1), jsonb_build_array(command_id(1), command_id(2)), 'as many as asked for');
select is(jsonb_array_length(intent.load_batch(rose(), array[command_id(1), command_id(5), command_id(6)], 0, '{}')), 2, 'another tenant''s command is not there');
select is(intent.load_batch(rose(), array[command_id(5)], 0, '{}') #>> '{0,stream,version}', '0', 'with its stream');

select is(
  intent.settle_batch(rose(), jsonb_build_array(
    jsonb_build_object('aggregateType', 'budget', 'aggregateId', 'food', 'expectedVersion', 0, 'decisions', jsonb_build_array(
      jsonb_build_object('commandId', command_id(1), 'events', notes(2)),
      jsonb_build_object('commandId', command_id(2), 'rejection', '{"code": "NOT_ALLOWED", "message": "no"}'::jsonb),
      jsonb_build_object('commandId', command_id(3), 'events', notes(1)))),
    jsonb_build_object('aggregateType', 'budget', 'aggregateId', 'travel', 'expectedVersion', 7, 'decisions', jsonb_build_array(
      jsonb_build_object('commandId', command_id(5), 'events', notes(1)))))),
  array[true, false], 'a run on the right version is settled, one on another is not');
select results_eq(
  $$select command_id, status, (outcome ->> 'firstVersion')::integer, (outcome ->> 'lastPosition')::integer from intent.commands
    where tenant_id = rose() and completed_at is not null order by 1$$,
  $$values (command_id(1), 'succeeded', 1, 2), (command_id(2), 'rejected', null, null), (command_id(3), 'succeeded', 3, 3)$$,
  'each command has its own outcome');
select results_eq($$select version, position from intent.events where tenant_id = rose() order by position$$,
  $$values (1::bigint, 1::bigint), (2::bigint, 2::bigint), (3::bigint, 3::bigint)$$, 'versions and positions have no hole');
select is((select status from intent.commands where tenant_id = rose() and command_id = command_id(5)), 'pending', 'what was not settled waits');
select is(intent.settle_batch(rose(), jsonb_build_array(note(command_id(1), 3))), array[false], 'a command that has ended is not settled again');
select is((select count(*) from intent.events where tenant_id = rose()), 3::bigint, 'and appends nothing');
select throws_ok($$select intent.settle_batch(rose(), jsonb_build_array(note(command_id(5), 3)))$$, 'IN422', 'the command belongs to another aggregate', 'a command of another aggregate is refused');
select throws_ok($$select intent.settle_batch(rose(), jsonb_build_array(note(command_id(6), 3)))$$, 'IN404', null, 'as is one of another tenant');
select throws_ok($$select intent.settle_batch(rose(), jsonb_build_array(note(command_id(4), 3),
  note(command_id(5), 0, '[]') || '{"aggregateId": "travel"}'))$$, 'IN422', 'runs[1].decisions[0]: events must be an array of 1 to 1,000 objects',
  'a malformed one takes back all, and is named');
select is((select status from intent.commands where tenant_id = rose() and command_id = command_id(4)), 'pending', 'also what came before it');
select is(intent.settle_batch(rose(), '[]'), '{}'::boolean[], 'no runs are no work');
set local role intent_worker;
select lives_ok($$select intent.settle_batch(rose(), '[]')$$, 'a worker may');
reset role;
set local role intent_pump;
select throws_ok($$select intent.settle_batch(rose(), '[]')$$, '42501', null, 'a pump may not');

select * from finish();
rollback;
