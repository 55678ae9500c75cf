-- Appends in one transaction, one event each: what an append costs where no commit and no client is counted.
create function bench.append_many(times integer, events jsonb) returns void
language plpgsql volatile
as $$
begin
  for n in 1 .. times loop
    perform intent.append_events(bench.tenant_id(n % 64 + 1), 'note', gen_random_uuid()::text, 0, events);
  end loop;
end
$$;
