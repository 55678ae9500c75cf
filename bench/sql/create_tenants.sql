-- Creates the tenants 1 … count and answers their ids. Each of their appends sends its hint.
create function bench.create_tenants(count integer) returns setof uuid
language sql volatile
as $$
  insert into intent.tenants (tenant_id, name, hints_per_second)
  select bench.tenant_id(n), 'Tenant ' || n, null from generate_series(1, count) as n
  returning tenant_id;
$$;
