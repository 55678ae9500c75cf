-- The same rows as append_many, by raw INSERT. The positions begin after first_position.
create function bench.insert_many(times integer, events jsonb, first_position bigint) returns void
language plpgsql volatile
as $$
begin
  for n in 1 .. times loop
    insert into bench.raw_events (tenant_id, position, aggregate_type, aggregate_id, version, type, schema_version, payload, metadata)
    values (bench.tenant_id(n % 64 + 1), first_position + n, 'note', gen_random_uuid()::text, 1,
      events -> 0 ->> 'type', 1, events -> 0 -> 'payload', '{}');
  end loop;
end
$$;
