-- Replaces an empty table of the schema intent by one that is partitioned in 16 by hash(tenant_id), with the same columns, checks
-- and indexes. What depends on the table goes with it: lay sql/fixtures/behaviour.sql again.
create function bench.partition_by_tenant(table_name text) returns void
language plpgsql volatile
as $$
begin
  set local role intent_owner;
  execute format('alter table intent.%I rename to unpartitioned', table_name);
  execute format('create table intent.%I (like intent.unpartitioned including all) partition by hash (tenant_id)', table_name);
  drop table intent.unpartitioned cascade;
  for n in 0 .. 15 loop
    execute format('create table intent.%I partition of intent.%I for values with (modulus 16, remainder %s)',
      table_name || '_' || n, table_name, n);
  end loop;
  reset role;
end
$$;
