-- Appends: versions, positions, expected versions, settlement, and what is refused.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(41);

set local role intent_worker;

select results_eq(
  $$select * from intent.append_events(rose(), 'note', 'a', 0, notes(2))$$,
  $$values (1::bigint, 2::bigint, 1::bigint, 2::bigint, false)$$,
  'a new stream has the versions 1, 2, and a new tenant the positions 1, 2');
select results_eq(
  $$select * from intent.append_events(rose(), 'note', 'b', 0, notes(1))$$,
  $$values (1::bigint, 1::bigint, 3::bigint, 3::bigint, false)$$,
  'another stream begins at version 1, at the next position of the tenant');
select results_eq(
  $$select * from intent.append_events(rose(), 'note', 'a', 2, notes(1))$$,
  $$values (3::bigint, 3::bigint, 4::bigint, 4::bigint, false)$$,
  'an exact expected version appends behind it');
select results_eq(
  $$select * from intent.append_events(rose(), 'note', 'a', null, notes(1))$$,
  $$values (4::bigint, 4::bigint, 5::bigint, 5::bigint, false)$$,
  'a null expected version appends wherever the stream is');
select results_eq(
  $$select * from intent.append_events(thorn(), 'note', 'a', 0, notes(1))$$,
  $$values (1::bigint, 1::bigint, 1::bigint, 1::bigint, false)$$,
  'the same stream of another tenant is another stream, with positions of its own');

select throws_ok($$select intent.append_events(rose(), 'note', 'a', 3, notes(1))$$, 'IN001', 'expected version 3, but the stream is at version 4',
  'an expected version that is too low is refused with IN001');
select throws_ok($$select intent.append_events(rose(), 'note', 'a', 5, notes(1))$$, 'IN001', 'expected version 5, but the stream is at version 4',
  'one that is too high, too');
select throws_ok($$select intent.append_events(rose(), 'note', 'a', 0, notes(1))$$, 'IN001', 'expected version 0, but the stream is at version 4',
  'a stream that is there is not new');
select is(detail_of($$select intent.append_events(rose(), 'note', 'a', 1, notes(1))$$), '{"actualVersion": 4}',
  'the DETAIL of IN001 carries the actual version');

select throws_ok($$select 1 / (last_version - last_version) from intent.append_events(rose(), 'note', 'a', null, notes(3))$$, '22012', null,
  'a statement fails after its append');
select results_eq(
  $$select * from intent.append_events(rose(), 'note', 'a', 4, notes(1))$$,
  $$values (5::bigint, 5::bigint, 6::bigint, 6::bigint, false)$$,
  'and its rollback leaves no hole in versions or positions');

-- Element by element, after a good one: nothing of the whole array may remain.
select throws_ok(
  format('select intent.append_events(rose(), %L, %L, null, notes(1) || %L::jsonb)', 'note', 'c', bad.element), 'IN422', 'events[1] ' || bad.problem,
  format('%s is refused with IN422, which names the element', left(bad.element, 60)))
from (values
  ('["no object"]', 'must be an object'),
  ('[{ "payload": {} }]', 'needs a type such as "OrderPlaced"'),
  ('[{ "type": "noteTaken", "payload": {} }]', 'needs a type such as "OrderPlaced"'),
  ('[{ "type": 7, "payload": {} }]', 'needs a type such as "OrderPlaced"'),
  (format('[{ "type": "%s", "payload": {} }]', repeat('A', 101)), 'needs a type such as "OrderPlaced"'),
  ('[{ "type": "NoteTaken", "schemaVersion": 0, "payload": {} }]', 'needs a schemaVersion from 1 to 999999'),
  ('[{ "type": "NoteTaken", "schemaVersion": 1.5, "payload": {} }]', 'needs a schemaVersion from 1 to 999999'),
  ('[{ "type": "NoteTaken", "schemaVersion": 1000000, "payload": {} }]', 'needs a schemaVersion from 1 to 999999'),
  ('[{ "type": "NoteTaken", "schemaVersion": null, "payload": {} }]', 'needs a schemaVersion from 1 to 999999'),
  ('[{ "type": "NoteTaken", "schemaVersion": "1", "payload": {} }]', 'needs a schemaVersion from 1 to 999999'),
  ('[{ "type": "NoteTaken", "payload": {} }]', 'needs a schemaVersion from 1 to 999999'),
  ('[{ "type": "NoteTaken", "schemaVersion": 1 }]', 'needs a payload that is an object'),
  ('[{ "type": "NoteTaken", "schemaVersion": 1, "payload": [] }]', 'needs a payload that is an object'),
  (format('[{ "type": "NoteTaken", "schemaVersion": 1, "payload": { "text": "%s" } }]', repeat('x', 262144)), 'has a payload over 256 KiB'),
  ('[{ "type": "NoteTaken", "schemaVersion": 1, "payload": {}, "metadata": [] }]', 'has metadata that is not an object')
) as bad (element, problem);
select is((intent.load_aggregate(rose(), 'note', 'c', 1) ->> 'version')::integer, 0, 'nothing partial remains of a refused append');

select throws_ok(format('select intent.append_events(rose(), %L, %L, null, %L)', 'note', 'c', events), 'IN422', 'events must be an array of 1 to 1,000 objects',
  format('%s is not an array of 1 to 1,000 events', coalesce(left(events::text, 10), 'null')))
from unnest(array[null, '{}', '[]', notes(1001)]) as events;
select throws_ok($$select intent.append_events(rose(), 'Note', 'c', null, notes(1))$$, 'IN422', null, 'a malformed aggregate type is refused with IN422');
select throws_ok($$select intent.append_events(rose(), 'note', ' c', null, notes(1))$$, 'IN422', null, 'a malformed aggregate id is refused with IN422');
select throws_ok($$select intent.append_events(command_id(1), 'note', 'c', null, notes(1))$$, 'IN404', null, 'an unknown tenant is refused with IN404');
select throws_ok($$select intent.append_events(rose(), 'order', order_id(1), null, notes(1), command_id(99))$$, 'IN404', null,
  'an unknown command is refused with IN404');

-- For a command: settled in the same transaction.
reset role;
select submit(bob(), rose(), command_id(1), 'CancelOrder', 'order', order_id(1)), submit(alice(), rose(), command_id(2), 'CancelOrder', 'order', order_id(2));
set local role intent_worker;

select throws_ok($$select intent.append_events(rose(), 'order', order_id(2), null, notes(1), command_id(1))$$, 'IN422', null,
  'a command settles appends to its own aggregate only (IN422)');
select results_eq(
  $$select * from intent.append_events(rose(), 'order', order_id(1), 0, '[{ "type": "NoteTaken", "schemaVersion": 1, "payload": {}, "metadata": { "commandId": "forged", "other": 1 } }]', command_id(1))$$,
  $$values (1::bigint, 1::bigint, 7::bigint, 7::bigint, false)$$,
  'an append for a command is numbered as any other');
select results_eq(
  $$select * from intent.append_events(rose(), 'order', order_id(1), 5, notes(3), command_id(1))$$,
  $$values (1::bigint, 1::bigint, 7::bigint, 7::bigint, true)$$,
  'a repeated one gives the first result as a duplicate, whatever it holds');
select intent.reject_command(rose(), command_id(2), 'ORDER_NOT_FOUND', 'There is no such order.', '{}');
select throws_ok($$select intent.append_events(rose(), 'order', order_id(2), null, notes(1), command_id(2))$$, 'IN410', null,
  'an append for a rejected command is refused with IN410');

reset role;
select results_eq(
  $$select status, outcome from intent.commands where tenant_id = rose() and command_id = command_id(1)$$,
  $$values ('succeeded', jsonb_build_object('aggregateType', 'order', 'aggregateId', order_id(1), 'firstVersion', 1, 'lastVersion', 1, 'firstPosition', 7, 'lastPosition', 7))$$,
  'its command has succeeded, with versions and positions');
select is(metadata - 'traceparent', jsonb_build_object('commandId', command_id(1), 'correlationId', command_id(1), 'causationId', command_id(1),
    'actor', jsonb_build_object('userId', bob(), 'role', 'member'), 'other', 1),
  'the metadata says who and why, set by the database, not by the caller')
from intent.events where tenant_id = rose() and position = 7;

select * from finish();
rollback;
