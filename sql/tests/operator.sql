-- What a person on call sees and does, and the record that it leaves.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(14);

select submit(bob(), rose(), command_id(n), 'CancelOrder', 'order', order_id(1)) from generate_series(1, 3) as n;
select submit(bob(), rose(), command_id(4), 'CancelOrder', 'order', order_id(4)), submit(bob(), rose(), command_id(5), 'CancelOrder', 'order', order_id(5));
set local role intent_pump;
select intent.claim_commands('pump-1', 1000, '1 minute');
select intent.mark_dispatched(rose(), command_id(1), 1);
set local role intent_worker;
select intent.append_events(rose(), 'order', order_id(4), 0, notes(2), command_id(4));
select intent.append_events(rose(), 'note', 'a', 0, notes(1));
select intent.fail_command(rose(), command_id(5), '{"message": "on fire"}');

reset role;
select is(outcome, '{"code": "FAILED", "message": "The command could not be executed. It is kept, so that an operator can have it executed after all.", "details": {}}',
  'the submitter of a dead letter is promised nothing that nobody does')
from intent.commands where tenant_id = rose() and command_id = command_id(5);

set local role intent_operator;
select results_eq(
  $$select status, waiting, blocked from intent.backlog where tenant_id = rose() order by 1$$,
  $$values ('dispatched', 1::bigint, 0::bigint), ('pending', 2, 2)$$,
  'the backlog counts what is open, and what of it waits behind another command of its aggregate');
select results_eq(
  $$select command_id, type, aggregate_type, aggregate_id, attempts, error from intent.dead_letters where tenant_id = rose()$$,
  $$values (command_id(5), 'CancelOrder', 'order', order_id(5), 1, '{"message": "on fire"}'::jsonb)$$,
  'a dead letter says what it was, how often it was tried, and why it failed');
select results_eq(
  $$select version, position, type, payload, actor from intent.stream(rose(), 'order', order_id(4))$$,
  $$values (1::bigint, 1::bigint, 'NoteTaken', '{"number": 1}'::jsonb, bob()::text), (2, 2, 'NoteTaken', '{"number": 2}', bob()::text)$$,
  'a stream shows its events in order, with who caused them');
select results_eq(
  $$select position, aggregate_type, aggregate_id, version from intent.tenant_feed(rose(), after_position => 1)$$,
  $$values (2::bigint, 'order', order_id(4), 2::bigint), (3, 'note', 'a', 1)$$,
  'the feed shows the tenant''s events after a position');
select results_eq(
  $$select what, type, status, caused_by, id from intent.command_trace(command_id(4))$$,
  $$values ('command', 'CancelOrder', 'succeeded', null::uuid, command_id(4)::text),
    ('event', 'NoteTaken', 'version 1', command_id(4), 'position 1'), ('event', 'NoteTaken', 'version 2', command_id(4), 'position 2')$$,
  'a trace shows a command and then the events that it made');
select intent.retry_command(rose(), command_id(5));
select is_empty($$select * from intent.dead_letters where tenant_id = rose()$$, 'what is retried is no dead letter any more');
select is(intent.submit_system_command(rose(), command_id(6), 'RejectOrder', 'order', order_id(6), '{}', null, null) ->> 'status', 'pending',
  'an operator may submit as the system');

select throws_ok(format('select * from intent.%I', relation), '42501', null, format('an operator reads no table by itself: %s', relation))
from unnest(array['events', 'commands', 'operator_log']) as relation;
select throws_ok($$select intent.append_events(rose(), 'note', 'a', null, notes(1))$$, '42501', null, 'and appends no events');

reset role;
select is(array_agg(distinct action order by action), array['command_trace', 'retry_command', 'stream', 'tenant_feed'], 'all that leaves a record')
from intent.operator_log where asked_at >= now() and action not in ('add_member', 'create_tenant', 'submit_system_command');
select is(details, jsonb_build_object('commandId', command_id(5)), 'of what was asked')
from intent.operator_log where tenant_id = rose() and action = 'retry_command';

select * from finish();
rollback;
