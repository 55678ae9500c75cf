-- The least that a function around an INSERT can be: a definer with its search_path, and nothing else.
create function bench.insert_event(tenant_id uuid, "position" bigint, aggregate_id text, events jsonb) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  event bench.raw_events;
begin
  event.tenant_id := tenant_id;
  event.position := position;
  event.aggregate_type := 'note';
  event.aggregate_id := aggregate_id;
  event.version := 1;
  event.type := events -> 0 ->> 'type';
  event.schema_version := 1;
  event.payload := events -> 0 -> 'payload';
  event.metadata := '{}';
  event.recorded_at := clock_timestamp();
  insert into bench.raw_events values (event.*);
end
$$;
