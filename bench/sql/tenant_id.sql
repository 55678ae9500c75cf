-- The n-th tenant of a benchmark.
create function bench.tenant_id(n integer) returns uuid
language sql immutable
return md5('tenant ' || n::text)::uuid;
