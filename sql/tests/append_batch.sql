-- Several appends of one tenant in one transaction, and the worker's append that catches up.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(11);

select submit(bob(), rose(), command_id(1), 'CancelOrder', 'order', order_id(1)), submit(bob(), rose(), command_id(2), 'CancelOrder', 'order', order_id(2));
set local role intent_worker;

select results_eq(
  $$select * from intent.append_batch(rose(), jsonb_build_array(
    jsonb_build_object('aggregateType', 'order', 'aggregateId', order_id(1), 'expectedVersion', 0, 'events', notes(2), 'commandId', command_id(1)),
    jsonb_build_object('aggregateType', 'note', 'aggregateId', 'a', 'events', notes(1)),
    jsonb_build_object('aggregateType', 'note', 'aggregateId', 'a', 'expectedVersion', 1, 'events', notes(1))))$$,
  $$values (1::bigint, 2::bigint, 1::bigint, 2::bigint, false), (1, 1, 3, 3, false), (2, 2, 4, 4, false)$$,
  'a batch is numbered as its appends one by one would be, also two of one stream');
select results_eq(
  $$select * from intent.append_batch(rose(), jsonb_build_array(
    jsonb_build_object('aggregateType', 'order', 'aggregateId', order_id(1), 'events', notes(9), 'commandId', command_id(1))))$$,
  $$values (1::bigint, 2::bigint, 1::bigint, 2::bigint, true)$$,
  'a settled command among them gives its first result as a duplicate');

select throws_ok(
  $$select intent.append_batch(rose(), jsonb_build_array(
    jsonb_build_object('aggregateType', 'order', 'aggregateId', order_id(2), 'events', notes(1), 'commandId', command_id(2)),
    jsonb_build_object('aggregateType', 'note', 'aggregateId', 'a', 'expectedVersion', 7, 'events', notes(1))))$$,
  'IN001', 'appends[1]: expected version 7, but the stream is at version 2',
  'one conflict refuses the whole batch with IN001, which names the append');
select is(detail_of(
  $$select intent.append_batch(rose(), jsonb_build_array(
    jsonb_build_object('aggregateType', 'note', 'aggregateId', 'a', 'expectedVersion', 7, 'events', notes(1))))$$),
  '{"actualVersion": 2}', 'with the actual version');
select throws_ok(
  $$select intent.append_batch(rose(), jsonb_build_array(jsonb_build_object('aggregateType', 'note', 'aggregateId', 'a', 'events', '[]'::jsonb)))$$,
  'IN422', null, 'a malformed append refuses the batch with IN422');
select throws_ok(format('select intent.append_batch(rose(), %L)', appends), 'IN422', 'appends must be an array of 1 to 1,000 objects',
  format('%s is no batch', coalesce(appends::text, 'null')))
from unnest(array[null, '{}', '[]']::jsonb[]) as appends;

select is(intent.append_or_catch_up(rose(), 'order', order_id(2), 0, notes(1), command_id(2)), '{"lastVersion": 1, "duplicate": false}',
  'an append that need not catch up answers with the last version; nothing of the refused batch is in its way');
reset role;
select submit(bob(), rose(), command_id(3), 'CancelOrder', 'order', order_id(1));
set local role intent_worker;
select is(jsonb_path_query_array(intent.append_or_catch_up(rose(), 'order', order_id(1), 1, notes(1), command_id(3)), '$.missed[*].version'), '[2]',
  'one that must, answers with the events that it has missed, and raises nothing');
reset role;
select results_eq(
  $$select command_id, status from intent.commands where tenant_id = rose() order by 1$$,
  $$values (command_id(1), 'succeeded'), (command_id(2), 'succeeded'), (command_id(3), 'pending')$$,
  'what has appended has settled its command, what has not has left it open');

select * from finish();
rollback;
