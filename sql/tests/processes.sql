-- Process managers: reactions in the transaction of what has happened, steps all or nothing, calls answered once.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(30);

insert into intent.process_events (process, event_type, key_path) values ('notary', 'NoteTaken', ''), ('notary', 'NoteSigned', 'noteId');
create trigger queue_reactions_of_the_test after insert on intent.events
  for each row when (new.type in ('NoteTaken', 'NoteSigned')) execute function intent.queue_reactions();

create function tests.step(expected_step bigint, advance jsonb) returns jsonb language sql as $$
  select intent.advance_process(rose(), 'notary', 'note-1', expected_step, '{"state": {}, "stateVersion": 1, "status": "open"}' || advance);
$$;
create function tests.loaded() returns jsonb language sql as $$ select intent.load_process(rose(), 'notary', 'note-1'); $$;

select is(loaded(), null, 'an instance that nothing has happened to is not there');
select lives_ok($$select from intent.append_events(rose(), 'note', 'note-1', 0, notes(2))$$, 'events are appended');
select is(jsonb_path_query_array(loaded(), '$.reactions[*].sequence'), '[1, 2]', 'and queued, in their order');
select is(loaded() #>> '{reactions,1,message,event,version}', '2', 'as clients see them');
select lives_ok($$select from intent.append_events(rose(), 'note', 'other', null,
  '[{"type": "NoteSigned", "schemaVersion": 1, "payload": {"noteId": "note-1"}}, {"type": "NoteSigned", "schemaVersion": 1, "payload": {}}]')$$, 'the key may be in the payload');
select is(jsonb_array_length(loaded() -> 'reactions'), 3, 'an event without the key is nobody''s');
select is_empty($$select from intent.reactions where tenant_id <> rose()$$, 'another tenant is not told');
select results_eq($$select waiting from intent.read_backlog() where tenant_id = rose() and status = 'reaction'$$, $$values (3::bigint)$$,
  'the backlog shows what waits');

select is((select key from intent.claim_processes('test', 10, '1 minute') where tenant_id = rose()), 'note-1', 'a pump is told');
select is_empty($$select from intent.claim_processes('test', 10, '1 minute') where tenant_id = rose()$$, 'once, until the lease ends');

select is(
  step(0, jsonb_build_object(
    'acknowledged', jsonb_build_array(1, 2), 'timers', jsonb_build_object('late', clock_timestamp() + interval '1 hour'),
    'calls', jsonb_build_array(jsonb_build_object('callId', 'ask', 'name', 'notary', 'request', jsonb_build_object('fee', 5))),
    'commands', jsonb_build_array(jsonb_build_object('commandId', command_id(1), 'type', 'ConfirmOrder', 'aggregateType', 'order',
      'aggregateId', order_id(1), 'payload', '{}'::jsonb)))) - 'nextTimerInMs',
  '{"step": 1, "more": true, "calls": [{"callId": "ask", "name": "notary"}]}', 'a step says what is left to wait for');
select is(jsonb_path_query_array(loaded(), '$.reactions[*].sequence'), '[3]', 'what was acknowledged is gone');
select throws_ok($$select step(0, '{}')$$, 'IN001', null, 'a step is made once');
select results_eq($$select actor_role, process, process_key, status from intent.commands where command_id = command_id(1)$$,
  $$values ('system', 'notary', 'note-1', 'pending')$$, 'its command is the system''s');
select throws_ok(
  $$select step(1, '{"acknowledged": [3], "commands": [{"commandId": "c0000000-0000-7000-8000-000000000002", "type": "Nonsense"}]}')$$,
  'IN422', null, 'a command that may not be undoes the step');
select is(jsonb_array_length(loaded() -> 'reactions'), 1, 'and all of it');

select is(intent.load_call(rose(), 'notary', 'note-1', 'ask'), '{"name": "notary", "request": {"fee": 5}, "traceparent": null}', 'a call can be made');
select is(intent.load_call(thorn(), 'notary', 'note-1', 'ask'), null, 'by its own tenant');
select is(intent.answer_call(rose(), 'notary', 'note-1', 'ask', '{"ok": true}'), true, 'it is answered');
select is(intent.answer_call(rose(), 'notary', 'note-1', 'ask', '{"ok": false}'), false, 'once');
select lives_ok($$select intent.reject_command(rose(), command_id(1), 'ORDER_NOT_FOUND', 'none', '{}')$$, 'a command ends');
select is(jsonb_path_query_array(loaded(), '$.reactions[*].message.kind'), '["event", "answer", "outcome"]', 'answer and outcome are reactions');

select lives_ok($$select intent.fail_process(rose(), 'notary', 'note-1', '{"name": "TypeError"}')$$, 'a bug sets it aside');
select is_empty($$select from intent.claim_processes('test', 10, '1 minute') where tenant_id = rose()$$, 'then nobody is told of it');
select results_eq($$select key, error ->> 'name' from intent.failed_processes$$, $$values ('note-1', 'TypeError')$$, 'an operator sees it');
select lives_ok($$select intent.retry_process(rose(), 'notary', 'note-1')$$, 'and has it go on');
select is((select key from intent.claim_processes('test', 10, '1 minute') where tenant_id = rose()), 'note-1', 'which a pump is told');

select results_eq($$select what, id, name, status, cause from intent.process_trace where tenant_id = rose() order by at$$,
  $$values ('answer', 'answer ask', 'notary', 'ok', 'call ask')$$, 'an answer is traced, once');
update intent.process_trace set at = now() - interval '91 days' where tenant_id = rose();
select is(intent.prune_commands('92 days', 10), 0, 'and stays for as long as commands do');
select is(intent.prune_commands('90 days', 10), 1, 'then it is pruned with them');

select * from finish();
rollback;
