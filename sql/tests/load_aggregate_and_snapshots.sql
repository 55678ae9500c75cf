-- What the worker folds: a matching snapshot and the events after it.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(15);

-- [version, the snapshot's version, the versions of the events]
create function tests.loaded(state_version integer) returns jsonb language sql as $$
  select jsonb_build_array(answer -> 'version', answer -> 'snapshot' -> 'version', jsonb_path_query_array(answer, '$.events[*].version'))
  from intent.load_aggregate(rose(), 'note', 'a', state_version) as answer;
$$;
set local role intent_worker;

select is(intent.load_aggregate(rose(), 'note', 'a', 1), '{"version": 0, "snapshot": null, "events": []}', 'an unknown stream is empty, at version 0');
select intent.append_events(rose(), 'note', 'a', 0, notes(5)), intent.append_events(thorn(), 'note', 'a', 0, notes(1));
select is(loaded(1), '[5, null, [1, 2, 3, 4, 5]]', 'without a snapshot all events are loaded, in order, and no other tenant''s');
select is(intent.load_aggregate(rose(), 'note', 'a', 1) -> 'events' -> 0 -> 'payload', '{"number": 1}', 'with their payload');

select lives_ok($$select intent.save_snapshot(rose(), 'note', 'a', 3, 1, '{"sum": 6}')$$, 'a snapshot can be taken behind the head');
select is(loaded(1), '[5, 3, [4, 5]]', 'then only the events after it are loaded');
select is(intent.load_aggregate(rose(), 'note', 'a', 1) -> 'snapshot', '{"version": 3, "stateVersion": 1, "state": {"sum": 6}}', 'with the state');
select is(loaded(2), '[5, null, [1, 2, 3, 4, 5]]', 'a snapshot of another state version is not used');

select intent.save_snapshot(rose(), 'note', 'a', 2, 1, '{}');
select is(loaded(1), '[5, 3, [4, 5]]', 'an older snapshot does not replace a newer one');
select intent.save_snapshot(rose(), 'note', 'a', 5, 1, '{}');
select is(loaded(1), '[5, 5, []]', 'a newer one does, and nothing is left to load after it');
select intent.save_snapshot(rose(), 'note', 'a', 2, 2, '{}');
select is(loaded(2), '[5, 2, [3, 4, 5]]', 'one of another state version replaces it, also an older one');
select is(loaded(1), '[5, null, [1, 2, 3, 4, 5]]', 'for which the other state version then loads every event');

select throws_ok(format('select intent.save_snapshot(rose(), %L, %L, %s, 1, %L)', 'note', 'a', version, '{}'), 'IN422', null,
  format('a snapshot of version %s of a stream of 5 is refused with IN422', version))
from unnest(array[0, 6]) as version;

reset role;
update intent.snapshots set version = 9 where tenant_id = rose();
set local role intent_worker;
select is(loaded(2), '[5, null, [1, 2, 3, 4, 5]]', 'a snapshot that is ahead of its stream is not used');
reset role;
delete from intent.snapshots where tenant_id = rose();
set local role intent_worker;
select is(loaded(2), '[5, null, [1, 2, 3, 4, 5]]', 'a snapshot can be deleted at any time');

select * from finish();
rollback;
