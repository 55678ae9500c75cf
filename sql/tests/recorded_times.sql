-- Times of recording never step back within a tenant, and what was up to a time is always a prefix; also if the server's clock was
-- set back. Several events of one append are recorded by one statement, at one moment.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(12);

-- As if the clock had been an hour ahead when the tenant's last event was recorded.
select intent.append_events(rose(), 'note', 'ahead', 0, notes(1));
set local session_replication_role = replica;
alter table intent.events disable trigger append_only;
update intent.events set recorded_at = now() + interval '1 hour' where tenant_id = rose();
alter table intent.events enable always trigger append_only;
set local session_replication_role = origin;

create function tests.times_of(aggregate_id text) returns timestamptz[] stable language sql as $$
  select array_agg(e.recorded_at order by e.version) from intent.events as e where e.tenant_id = tests.rose() and e.aggregate_id = times_of.aggregate_id;
$$;

select intent.append_events(rose(), 'note', 'one', 0, notes(1));
select is(times_of('one'), array[now() + interval '1 hour'], 'one event is recorded no earlier than the tenant''s last');
select intent.append_events(rose(), 'note', 'many', 0, notes(3));
select is(times_of('many'), array_fill(now() + interval '1 hour', array[3]), 'nor are several');
select intent.append_events(thorn(), 'note', 'other', 0, notes(1));
select ok(recorded_at < now() + interval '1 minute', 'another tenant has its own last event') from intent.events where tenant_id = thorn();

select submit(bob(), rose(), command_id(n), 'CancelOrder', 'order', order_id(n)) from generate_series(1, 2) as n;
select is(
  intent.settle_batch(rose(), (
    select jsonb_agg(jsonb_build_object('aggregateType', 'order', 'aggregateId', order_id(n), 'expectedVersion', 0, 'decisions',
      jsonb_build_array(jsonb_build_object('commandId', command_id(n), 'events', notes(2)))))
    from generate_series(1, 2) as n
  )),
  '{t,t}', 'a batch is settled');
select is(times_of(order_id(n)), array_fill(now() + interval '1 hour', array[2]), 'and is recorded no earlier either') from generate_series(1, 2) as n;

-- One statement, however many events: what an append holds the tenant's lock for grows no faster than its events.
create table tests.statements (events bigint);
create function tests.count_statement() returns trigger language plpgsql security definer as $$
begin
  insert into tests.statements select count(*) from inserted;
  return null;
end
$$;
create trigger count_statement after insert on intent.events referencing new table as inserted for each statement execute function tests.count_statement();
select intent.append_events(thorn(), 'note', 'thousand', 0, notes(1000));
select results_eq('select events from tests.statements', 'values (1000::bigint)', 'a thousand events are recorded by one statement');
select results_eq($$select version, "position", payload from intent.stream(thorn(), 'note', 'thousand')$$,
  $$select n, n + 1, jsonb_build_object('number', n) from generate_series(1::bigint, 1000) as n$$, 'in their order');
select is(count(distinct e.recorded_at), 1::bigint, 'and at one moment') from intent.events as e where e.aggregate_id = 'thousand';

-- Recorded before times could not step back.
insert into intent.events (tenant_id, position, aggregate_type, aggregate_id, version, type, schema_version, payload, metadata, recorded_at)
select thorn(), 1001 + n, 'note', 'stepped-back', n, 'NoteTaken', 1, '{}', '{}', recorded_at::timestamptz
from unnest(array['2026-01-01 10:00Z', '2026-01-01 10:05Z', '2026-01-01 10:01Z', '2026-01-01 10:06Z']) with ordinality as recorded (recorded_at, n);
select sign_in(dave(), thorn());
select is(api.stream_as_of('note', 'stepped-back', "at" => moment) ->> 'version', version, format('as of %s it is a prefix', moment))
from (values ('2026-01-01 10:02Z'::timestamptz, '1'), ('2026-01-01 10:05Z', '3'), ('2026-01-01 10:06Z', '4')) as expected (moment, version);
reset role;

select * from finish();
rollback;
