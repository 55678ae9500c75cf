-- insert_event with what positions without holes need: the tenant's lock, and both look-ups.
create function bench.insert_numbered_event(tenant_id uuid, aggregate_id text, events jsonb) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  event bench.raw_events;
  ignored text;
begin
  ignored := pg_advisory_xact_lock(hashtextextended(tenant_id::text, 0));
  select e.version into event.version
  from bench.raw_events as e
  where e.tenant_id = insert_numbered_event.tenant_id and e.aggregate_type = 'note'
    and e.aggregate_id = insert_numbered_event.aggregate_id
  order by e.version desc
  limit 1;
  select e.position into event.position
  from bench.raw_events as e
  where e.tenant_id = insert_numbered_event.tenant_id
  order by e.position desc
  limit 1;
  event.tenant_id := tenant_id;
  event.position := coalesce(event.position, 0) + 1;
  event.aggregate_type := 'note';
  event.aggregate_id := aggregate_id;
  event.version := coalesce(event.version, 0) + 1;
  event.type := events -> 0 ->> 'type';
  event.schema_version := 1;
  event.payload := events -> 0 -> 'payload';
  event.metadata := '{}';
  event.recorded_at := clock_timestamp();
  insert into bench.raw_events values (event.*);
end
$$;
