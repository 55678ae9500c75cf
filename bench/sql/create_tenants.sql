-- Creates the tenants 1 … count and answers their ids.
create function bench.create_tenants(count integer) returns setof uuid
language sql volatile
as $$
  insert into intent.tenants (tenant_id, name)
  select bench.tenant_id(n), 'Tenant ' || n from generate_series(1, count) as n
  returning tenant_id;
$$;
