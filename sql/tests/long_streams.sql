-- A long stream with a snapshot costs what is behind the snapshot, no matter who loads it: counted are the events that are read.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(5);

create function tests.read_events() returns bigint language sql as $$
  select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_all_tables where relid = 'intent.events'::regclass;
$$;
create function tests.read_by(load text) returns bigint language plpgsql as $$
declare
  before bigint := tests.read_events();
begin
  execute load;
  return tests.read_events() - before;
end
$$;

select intent.append_events(rose(), 'budget', 'food', null, notes(1000)) from generate_series(1, 3);
select intent.save_snapshot(rose(), 'budget', 'food', 2990, 1, '{}');
select submit(alice(), rose(), command_id(1), 'ChangeBudgetLimit', 'budget', 'food', '{"limit": 200}');

select ok(tests.read_by($$select intent.load_aggregate(rose(), 'budget', 'food', 1)$$) <= 20, 'the worker');
select ok(tests.read_by($$select intent.load_command(rose(), command_id(1), '{"budget": 1}')$$) <= 20, 'the worker, with the command');
select ok(tests.read_by($$select intent.load_batch(rose(), array[command_id(1)], 10, '{"budget": 1}')$$) <= 20, 'the inline engine');
select sign_in(alice(), rose());
select ok(tests.read_by($$select api.hydrate('budget', 'food', 1)$$) <= 20, 'a member');
reset role;
select ok(tests.read_by($$select intent.load_aggregate(rose(), 'budget', 'food', 2)$$) >= 3000, 'and all of them are read where the snapshot does not fit');

select * from finish();
rollback;
