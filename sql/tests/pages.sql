-- A long stream is read in pages, by number and by bytes; a page is never taken for the whole.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(28);

-- [version, the snapshot's version, the first and the last version of the events]
create function tests.extent(stream jsonb) returns jsonb language sql as $$
  select jsonb_build_array(stream -> 'version', stream -> 'snapshot' -> 'version', stream #> '{events,0,version}', stream #> '{events,-1,version}');
$$;

select intent.append_events(rose(), 'budget', 'long', null, notes(1000)) from generate_series(1, 3);
select intent.append_events(rose(), 'budget', 'wide', null, jsonb_build_array(jsonb_build_object(
  'type', 'NoteTaken', 'schemaVersion', 1, 'payload', jsonb_build_object('text', repeat('x', 200000))))) from generate_series(1, 22);
select intent.append_events(rose(), 'budget', 'short', null, notes(3));
select submit(alice(), rose(), command_id(1), 'ChangeBudgetLimit', 'budget', 'long', '{"limit": 200}');
select submit(alice(), rose(), command_id(2), 'ChangeBudgetLimit', 'budget', 'short', '{"limit": 200}');
select submit(alice(), rose(), command_id(3), 'ChangeBudgetLimit', 'budget', 'wide', '{"limit": 200}');

-- The worker.
select throws_ok($$select intent.load_aggregate(rose(), 'budget', 'wide', 1)$$, 'IN413', null, 'load_aggregate refuses more than 4 MiB, and never hands out a part');
select is(extent(intent.load_events(rose(), 'budget', 'long', 0)), '[3000, null, 1, 1000]', 'load_events has the first thousand');
select is(extent(intent.load_events(rose(), 'budget', 'long', 1000, 20)), '[3000, null, 1001, 1020]', 'or the next, as many as are asked for');
select is(extent(intent.load_events(rose(), 'budget', 'long', 2990)), '[3000, null, 2991, 3000]', 'up to the last');
select is(intent.load_events(rose(), 'budget', 'long', 3000), '{"version": 3000, "events": []}', 'after which there is none');
select is(extent(intent.load_events(rose(), 'budget', 'wide', 0)), '[22, null, 1, 5]', 'of large events as many as come to 1 MiB');
select is(intent.load_events(thorn(), 'budget', 'long', 0), '{"version": 0, "events": []}', 'and none of another tenant''s');
select is(extent(intent.load_command(rose(), command_id(1), '{}', 1000) -> 'stream'), '[3000, null, 1, 1000]', 'a command comes with the first page of its stream');
select is(extent(intent.load_command(rose(), command_id(3), '{}', 1000) -> 'stream'), '[22, null, 1, 5]', 'of bytes as well');
select is(extent(intent.load_command(rose(), command_id(1), '{}') -> 'stream'), '[3000, null, 1, 3000]',
  'and with all of it for a worker of an older release, which would take a page for the whole');
select intent.save_snapshot(rose(), 'budget', 'long', 1900, 1, '{}');
select is(extent(intent.load_command(rose(), command_id(1), '{"budget": 1}', 1000) -> 'stream'), '[3000, 1900, 1901, 2900]', 'the first page is behind the snapshot');
select is(extent(intent.append_or_catch_up(rose(), 'budget', 'long', 10, notes(1), command_id(1), 1000)), '[3000, null, null, null]', 'what was missed comes with the version');
select is((intent.append_or_catch_up(rose(), 'budget', 'long', 10, notes(1), command_id(1), 1000) #>> '{missed,-1,version}')::integer, 1010, 'as a page');
select is(jsonb_array_length(intent.append_or_catch_up(rose(), 'budget', 'long', 10, notes(1), command_id(1)) -> 'missed'), 2990, 'and all of it for an older release');
select is(
  (select jsonb_agg(run -> 'aggregateId') from jsonb_array_elements(
    intent.load_batch(rose(), array[command_id(1), command_id(2), command_id(3)], 10, '{}')) as run),
  '["short"]', 'a batch leaves out what is long or wide, for the execution one by one');
select is(jsonb_array_length(intent.load_batch(rose(), array[command_id(1)], 10, '{"budget": 1}')), 0, 'also behind a snapshot');
select intent.save_snapshot(rose(), 'budget', 'long', 2001, 1, '{}');
select is(jsonb_array_length(intent.load_batch(rose(), array[command_id(1)], 10, '{"budget": 1}') #> '{0,stream,events}'), 999, 'unless that is near');

-- A member.
select sign_in(alice(), rose());
select is(extent(api.hydrate('budget', 'long')), '[3000, 2001, 2002, 3000]', 'hydrate has all behind a snapshot');
select throws_ok($$select api.hydrate('budget', 'wide', 2)$$, 'IN413', null, 'without one a client that does not take pages is refused');
select is(extent(api.hydrate('budget', 'long', 2, null, 500)), '[3000, null, 1, 500]', 'another gets the first page');
select is(extent(api.hydrate('budget', 'long', 1, 2500, 400)), '[3000, null, 2501, 2900]', 'and the next one, without a snapshot');
select is((api.hydrate('budget', 'long', 2, null, 500) -> 'position')::integer, 3025, 'with the tenant''s position');
select is(extent(api.hydrate('budget', 'long', 1, 3000)), '[3000, null, null, null]', 'after the last version there is nothing, which is the whole of it');
select throws_ok($$select api.hydrate('budget', 'wide', 1, 1)$$, 'IN413', null, 'and what is left after another is refused if it is too long');
select throws_ok($$select api.stream_as_of('budget', 'wide')$$, 'IN413', null, 'the past of a long stream is refused as a whole');
select is(extent(api.stream_as_of('budget', 'long', 2500, null, 0, 500)), '[2500, null, 1, 500]', 'and comes in pages');
select is(extent(api.stream_as_of('budget', 'long', 2500, null, 2400, 500)), '[2500, null, 2401, 2500]', 'up to its version');
select is(extent(api.stream_as_of('budget', 'long', 2500)), '[2500, null, 1, 2500]', 'or whole');

select * from finish();
rollback;
