-- In a database of its own choice, outside of intent's schemas: what households have spent. One row an event, so that an event
-- which is told twice is counted once.
create table if not exists spending (
  tenant_id uuid not null,
  position bigint not null,
  spent_at timestamptz not null,
  cents bigint not null,
  primary key (tenant_id, position)
);
create or replace view spending_by_week as
  select tenant_id, date_trunc('week', spent_at at time zone 'UTC')::date as week, sum(cents)::bigint as cents
  from spending
  group by tenant_id, week;
