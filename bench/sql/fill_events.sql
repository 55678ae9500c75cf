-- Fills the log: the streams stream-1 … stream-n of each tenant, with the same number of events. Version by version over all
-- tenants, so that the events of a stream and of a tenant lie apart on the disk, as they do in life.
-- The superuser's, who passes by policies; with session_replication_role = replica it passes by the read models, too.
create function bench.fill_events(tenants integer, streams integer, events_per_stream integer) returns void
language plpgsql volatile
set session_replication_role = replica
as $$
declare
  ids uuid[] := array(select bench.tenant_id(n) from generate_series(1, tenants) as n);
  payload jsonb;
begin
  for version in 1 .. events_per_stream loop
    payload := jsonb_build_object('text', repeat('x', 100), 'number', version);
    insert into intent.events (tenant_id, position, aggregate_type, aggregate_id, version, type, schema_version, payload, metadata)
    select tenant, (version - 1) * streams + stream, 'note', 'stream-' || stream, version, 'NoteTaken', 1, payload, '{}'
    from unnest(ids) as tenant, generate_series(1, streams) as stream;
  end loop;
end
$$;
