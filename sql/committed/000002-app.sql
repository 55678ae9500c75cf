--! Previous: sha1:6c04fc4dd5356a72596958afc89d110ee498ba06
--! Hash: sha1:5f41cbcac04ddae1f94333f1b81b0343bf72a5f1
--! Message: app

--! split: 1-current.sql
-- Everything of the app, as an empty database gets it.
--! Included app/state.sql
-- What holds the app's data, in the form that it has today: read models alone, which the events can make anew.
set local role intent_owner;
--! Included app/tables/orders.sql
create table if not exists intent.orders (
  tenant_id uuid not null,
  order_id text collate "C" not null,
  budget_id text collate "C" not null,
  status text not null check (status in ('awaiting_approval', 'placed', 'confirmed', 'rejected', 'cancelled', 'delivered')),
  total bigint not null,
  placed_by uuid not null,
  version bigint not null,
  position bigint not null,
  primary key (tenant_id, order_id)
);
comment on table intent.orders is 'Read model of the slice order, kept in the append''s transaction.';
comment on column intent.orders.tenant_id is 'Whose it is.';
comment on column intent.orders.order_id is 'The aggregate''s id.';
comment on column intent.orders.budget_id is 'The budget that pays for it.';
comment on column intent.orders.status is 'awaiting_approval, placed, confirmed, rejected, cancelled or delivered.';
comment on column intent.orders.total is 'Cents.';
comment on column intent.orders.placed_by is 'The user who placed it.';
comment on column intent.orders.version is 'That of the stream, up to which the row is true.';
comment on column intent.orders.position is 'The tenant''s, of the last event that the row shows.';
--! EndIncluded app/tables/orders.sql
--! Included app/tables/budgets.sql
create table if not exists intent.budgets (
  tenant_id uuid not null,
  budget_id text collate "C" not null,
  name text not null,
  spending_limit bigint not null,
  reserved bigint not null default 0,
  spent bigint not null default 0,
  version bigint not null,
  position bigint not null,
  primary key (tenant_id, budget_id)
);
comment on table intent.budgets is 'Read model of the slice budget, kept in the append''s transaction. Amounts in cents.';
comment on column intent.budgets.tenant_id is 'Whose it is.';
comment on column intent.budgets.budget_id is 'The aggregate''s id.';
comment on column intent.budgets.name is 'As its owner named it.';
comment on column intent.budgets.spending_limit is 'What may be reserved and spent together, in cents.';
comment on column intent.budgets.reserved is 'What is reserved for orders and not yet spent, in cents.';
comment on column intent.budgets.spent is 'What is spent, in cents.';
comment on column intent.budgets.version is 'That of the stream, up to which the row is true.';
comment on column intent.budgets.position is 'The tenant''s, of the last event that the row shows.';
--! EndIncluded app/tables/budgets.sql
--! Included app/tables/budget_shares.sql
create table if not exists intent.budget_shares (
  tenant_id uuid not null,
  budget_id text collate "C" not null,
  order_id text collate "C" not null,
  reserved bigint not null default 0,
  spent bigint not null default 0,
  primary key (tenant_id, budget_id, order_id)
);
comment on table intent.budget_shares is 'What each order has reserved and spent of a budget: a release names the order only.';
comment on column intent.budget_shares.tenant_id is 'Whose it is.';
comment on column intent.budget_shares.budget_id is 'The budget that the share is of.';
comment on column intent.budget_shares.order_id is 'The order that it is for.';
comment on column intent.budget_shares.reserved is 'What is reserved for the order and not yet spent, in cents.';
comment on column intent.budget_shares.spent is 'What is spent for the order, in cents.';
--! EndIncluded app/tables/budget_shares.sql
reset role;
--! EndIncluded app/state.sql
--! Included app/behaviour.sql
-- Every function, trigger, policy, view and grant of the app, after those of the framework. Each file can be run again.

set local role intent_owner;

-- Walls before doors.
--! Included app/policies/orders.sql
-- Members read their tenant's orders.
alter table intent.orders enable row level security;
alter table intent.orders force row level security;

drop policy if exists owner_in_tenant on intent.orders;
create policy owner_in_tenant on intent.orders to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists tenant_wall on intent.orders;
create policy tenant_wall on intent.orders as restrictive to authenticated
  using (tenant_id = (select intent.current_tenant_id()))
  with check (tenant_id = (select intent.current_tenant_id()));

drop policy if exists members_read on intent.orders;
create policy members_read on intent.orders for select to authenticated
  using (tenant_id = (select intent.current_tenant_id()));
grant select on intent.orders to authenticated;
--! EndIncluded app/policies/orders.sql
--! Included app/policies/budgets.sql
-- Members read their tenant's budgets.
alter table intent.budgets enable row level security;
alter table intent.budgets force row level security;

drop policy if exists owner_in_tenant on intent.budgets;
create policy owner_in_tenant on intent.budgets to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());

drop policy if exists tenant_wall on intent.budgets;
create policy tenant_wall on intent.budgets as restrictive to authenticated
  using (tenant_id = (select intent.current_tenant_id()))
  with check (tenant_id = (select intent.current_tenant_id()));

drop policy if exists members_read on intent.budgets;
create policy members_read on intent.budgets for select to authenticated
  using (tenant_id = (select intent.current_tenant_id()));
grant select on intent.budgets to authenticated;
--! EndIncluded app/policies/budgets.sql
--! Included app/policies/budget_shares.sql
-- Only the projection reads it.
alter table intent.budget_shares enable row level security;
alter table intent.budget_shares force row level security;

drop policy if exists owner_in_tenant on intent.budget_shares;
create policy owner_in_tenant on intent.budget_shares to intent_owner
  using (tenant_id = intent.entered_tenant_id())
  with check (tenant_id = intent.entered_tenant_id());
--! EndIncluded app/policies/budget_shares.sql

-- What the domain has, for the framework's functions.
--! Included app/message_types_rows.sql
-- Generated from src/domain by `npm run generate`. Do not edit.
insert into intent.message_types (type, aggregate_type, aggregate_id_pattern, sent_by, schema_version, execution)
values
  ('ApproveOrder', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['owner'], 1, 'temporal'),
  ('CancelOrder', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['owner', 'member', 'guest'], 1, 'temporal'),
  ('ChangeBudgetLimit', 'budget', '^[a-z0-9][a-z0-9-]{0,63}$', array['owner'], 1, 'temporal'),
  ('ConfirmOrder', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['system'], 1, 'temporal'),
  ('OpenBudget', 'budget', '^[a-z0-9][a-z0-9-]{0,63}$', array['owner'], 1, 'temporal'),
  ('PlaceOrder', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['owner', 'member', 'guest'], 1, 'temporal'),
  ('RecordDelivery', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['owner', 'member'], 1, 'temporal'),
  ('RejectOrder', 'order', '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', array['system'], 1, 'temporal'),
  ('ReleaseBudget', 'budget', '^[a-z0-9][a-z0-9-]{0,63}$', array['system'], 1, 'temporal'),
  ('ReserveBudget', 'budget', '^[a-z0-9][a-z0-9-]{0,63}$', array['system'], 1, 'temporal'),
  ('SpendBudget', 'budget', '^[a-z0-9][a-z0-9-]{0,63}$', array['system'], 1, 'temporal')
on conflict (type) do update set
  aggregate_type = excluded.aggregate_type,
  aggregate_id_pattern = excluded.aggregate_id_pattern,
  sent_by = excluded.sent_by,
  schema_version = excluded.schema_version,
  execution = excluded.execution;
--! EndIncluded app/message_types_rows.sql
--! Included app/process_events_rows.sql
-- Generated from src/domain by `npm run generate`. Do not edit.
delete from intent.process_events;
insert into intent.process_events (process, event_type, key_path)
values
  ('order-fulfilment', 'BudgetReservationRefused', 'orderId'),
  ('order-fulfilment', 'BudgetReserved', 'orderId'),
  ('order-fulfilment', 'OrderApproved', ''),
  ('order-fulfilment', 'OrderCancelled', ''),
  ('order-fulfilment', 'OrderDelivered', ''),
  ('order-fulfilment', 'OrderPlaced', ''),
  ('order-fulfilment', 'OrderRejected', '');

create or replace trigger queue_reactions after insert on intent.events
  for each row when (new.type = any (array['BudgetReservationRefused', 'BudgetReserved', 'OrderApproved', 'OrderCancelled', 'OrderDelivered', 'OrderPlaced', 'OrderRejected']::text[]))
  execute function intent.queue_reactions();
--! EndIncluded app/process_events_rows.sql
--! Included app/read_models_rows.sql
-- The read models of the example, for drift, rebuild and doctor.
insert into intent.read_models (read_model, aggregate_column, trigger_name, filled_at)
select new.*, case when not intent.has_events() then clock_timestamp() end
from (values
  ('budget_shares', 'budget_id', 'project_budgets'),
  ('budgets', 'budget_id', 'project_budgets'),
  ('orders', 'order_id', 'project_orders')
) as new (read_model, aggregate_column, trigger_name)
on conflict (read_model) do update set
  aggregate_column = excluded.aggregate_column,
  trigger_name = excluded.trigger_name;
delete from intent.read_models where read_model not in ('budget_shares', 'budgets', 'orders');
--! EndIncluded app/read_models_rows.sql

-- Read models.
--! Included app/order/order_after.sql
-- One event's effect on its order's row: the read model, its rebuild and time travel all fold with this. `before` is null if
-- there is no order yet. An event type that is not known leaves all but version and position as they were.
create or replace function intent.order_after(before intent.orders, event intent.events) returns intent.orders
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  after intent.orders := before;
begin
  after.version := event.version;
  after.position := event.position;
  case event.type
    when 'OrderPlaced' then
      after.tenant_id := event.tenant_id;
      after.order_id := event.aggregate_id;
      after.budget_id := event.payload ->> 'budgetId';
      after.status := case when (event.payload ->> 'needsApproval')::boolean then 'awaiting_approval' else 'placed' end;
      after.total := (event.payload ->> 'total')::bigint;
      after.placed_by := (event.payload ->> 'placedBy')::uuid;
    when 'OrderApproved' then after.status := 'placed';
    when 'OrderCancelled' then after.status := 'cancelled';
    when 'OrderDelivered' then after.status := 'delivered';
    when 'OrderConfirmed' then after.status := 'confirmed';
    when 'OrderRejected' then after.status := 'rejected';
    else
  end case;
  return after;
end
$$;
comment on function intent.order_after(intent.orders, intent.events) is 'One event''s effect on its order''s row.';

create or replace aggregate intent.fold_order(event intent.events) (sfunc = intent.order_after, stype = intent.orders);
comment on aggregate intent.fold_order(intent.events) is 'An order''s row from its events, in their order.';
grant execute on function intent.fold_order(intent.events) to authenticated;
--! EndIncluded app/order/order_after.sql
--! Included app/order/project_orders.sql
-- Read model of the slice order: one row an order, in the append's own transaction.
create or replace function intent.project_orders() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  row_before intent.orders;
  row_after intent.orders;
begin
  select o.* into row_before
  from intent.orders as o
  where o.tenant_id = new.tenant_id and o.order_id = new.aggregate_id;
  row_after := intent.order_after(row_before, new);
  -- Null if the order was never placed: there is nothing to show.
  if row_after.order_id is not null then
    insert into intent.orders values (row_after.*)
    on conflict (tenant_id, order_id) do update
      set status = excluded.status, version = excluded.version, position = excluded.position;
  end if;
  return null;
end
$$;
comment on function intent.project_orders() is 'Keeps intent.orders.';

create or replace trigger project_orders after insert on intent.events
  for each row when (new.aggregate_type = 'order') execute function intent.project_orders();
--! EndIncluded app/order/project_orders.sql
--! Included app/order/orders_as_of.sql
-- A tenant's orders as they were at a position (null: as they are), all or some, from the events alone. As the caller may see them.
create or replace function intent.orders_as_of(of_tenant uuid, as_of bigint, only_ids text[] default null) returns setof intent.orders
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select (folded.one).*
  from (
    select intent.fold_order(e order by e.version) as one
    from intent.events as e
    where e.tenant_id = of_tenant and e.aggregate_type = 'order' and (as_of is null or e.position <= as_of)
      and (only_ids is null or e.aggregate_id = any (only_ids))
    group by e.aggregate_id
  ) as folded
  where (folded.one).order_id is not null;
end
$$;
comment on function intent.orders_as_of(uuid, bigint, text[]) is 'A tenant''s orders as they were at a position, from the events alone.';
grant execute on function intent.orders_as_of(uuid, bigint, text[]) to authenticated;
--! EndIncluded app/order/orders_as_of.sql
--! Included app/budget/budget_share_after.sql
-- One event's effect on its order's share of a budget: a reservation replaces the one before, spending takes it over, a
-- release gives back what is reserved and what is spent. `before` is null if the order has no share yet.
create or replace function intent.budget_share_after(before intent.budget_shares, event intent.events) returns intent.budget_shares
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  amount bigint := (event.payload ->> 'amount')::bigint;
  after intent.budget_shares := before;
begin
  after.tenant_id := event.tenant_id;
  after.budget_id := event.aggregate_id;
  after.order_id := event.payload ->> 'orderId';
  after.reserved := case event.type when 'BudgetReserved' then amount else 0 end;
  after.spent := case event.type when 'BudgetReleased' then 0 when 'BudgetSpent' then coalesce(before.spent, 0) + amount
    else coalesce(before.spent, 0) end;
  return after;
end
$$;
comment on function intent.budget_share_after(intent.budget_shares, intent.events) is 'One event''s effect on its order''s share of a budget.';

create or replace aggregate intent.fold_budget_share(event intent.events) (sfunc = intent.budget_share_after, stype = intent.budget_shares);
comment on aggregate intent.fold_budget_share(intent.events) is 'An order''s share of a budget from its events, in their order.';
grant execute on function intent.fold_budget_share(intent.events) to authenticated;
--! EndIncluded app/budget/budget_share_after.sql
--! Included app/budget/project_budgets.sql
-- Read model of the slice budget, in the append's own transaction. A release names only its order, so the share of each
-- order is kept beside the budget's totals.
create or replace function intent.project_budgets() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  share_before intent.budget_shares;
  share_after intent.budget_shares;
begin
  if new.type = 'BudgetOpened' then
    insert into intent.budgets (tenant_id, budget_id, name, spending_limit, version, position)
    values (new.tenant_id, new.aggregate_id, new.payload ->> 'name', (new.payload ->> 'limit')::bigint, new.version, new.position);
    return null;
  end if;

  if new.type in ('BudgetReserved', 'BudgetSpent', 'BudgetReleased') then
    select s.* into share_before
    from intent.budget_shares as s
    where s.tenant_id = new.tenant_id and s.budget_id = new.aggregate_id and s.order_id = new.payload ->> 'orderId';
    share_after := intent.budget_share_after(share_before, new);
    insert into intent.budget_shares values (share_after.*)
    on conflict (tenant_id, budget_id, order_id) do update set reserved = excluded.reserved, spent = excluded.spent;
  end if;
  update intent.budgets as b
  set spending_limit = case new.type when 'BudgetLimitChanged' then (new.payload ->> 'limit')::bigint else b.spending_limit end,
      reserved = b.reserved + coalesce(share_after.reserved, 0) - coalesce(share_before.reserved, 0),
      spent = b.spent + coalesce(share_after.spent, 0) - coalesce(share_before.spent, 0),
      version = new.version, position = new.position
  where b.tenant_id = new.tenant_id and b.budget_id = new.aggregate_id;
  return null;
end
$$;
comment on function intent.project_budgets() is 'Keeps intent.budgets.';

create or replace trigger project_budgets after insert on intent.events
  for each row when (new.aggregate_type = 'budget') execute function intent.project_budgets();
--! EndIncluded app/budget/project_budgets.sql
--! Included app/budget/budgets_as_of.sql
-- What the orders of a tenant had reserved and spent at a position (null: what they have), from the events alone.
create or replace function intent.budget_shares_as_of(of_tenant uuid, as_of bigint, only_ids text[] default null) returns setof intent.budget_shares
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select (folded.one).*
  from (
    select intent.fold_budget_share(e order by e.version) as one
    from intent.events as e
    where e.tenant_id = of_tenant and e.aggregate_type = 'budget' and (as_of is null or e.position <= as_of)
      and (only_ids is null or e.aggregate_id = any (only_ids))
      and e.type in ('BudgetReserved', 'BudgetSpent', 'BudgetReleased')
    group by e.aggregate_id, e.payload ->> 'orderId'
  ) as folded;
end
$$;
comment on function intent.budget_shares_as_of(uuid, bigint, text[]) is 'What orders had reserved and spent at a position, from the events alone.';
grant execute on function intent.budget_shares_as_of(uuid, bigint, text[]) to authenticated;

-- A tenant's budgets as they were at a position (null: as they are), all or some, from the events alone. As the caller may see them.
create or replace function intent.budgets_as_of(of_tenant uuid, as_of bigint, only_ids text[] default null) returns setof intent.budgets
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with shares as (
    select s.budget_id, sum(s.reserved)::bigint as reserved, sum(s.spent)::bigint as spent
    from intent.budget_shares_as_of(of_tenant, as_of, only_ids) as s
    group by s.budget_id
  ), budgets as (
    select e.aggregate_id as budget_id,
      max(e.payload ->> 'name') filter (where e.type = 'BudgetOpened') as name,
      (array_agg((e.payload ->> 'limit')::bigint order by e.version desc)
        filter (where e.type in ('BudgetOpened', 'BudgetLimitChanged')))[1] as spending_limit,
      max(e.version) as version, max(e.position) as position
    from intent.events as e
    where e.tenant_id = of_tenant and e.aggregate_type = 'budget' and (as_of is null or e.position <= as_of)
      and (only_ids is null or e.aggregate_id = any (only_ids))
    group by e.aggregate_id
  )
  select of_tenant, b.budget_id, b.name, b.spending_limit, coalesce(s.reserved, 0), coalesce(s.spent, 0), b.version, b.position
  from budgets as b
  left join shares as s on s.budget_id = b.budget_id
  where b.name is not null;
end
$$;
comment on function intent.budgets_as_of(uuid, bigint, text[]) is 'A tenant''s budgets as they were at a position, from the events alone.';
grant execute on function intent.budgets_as_of(uuid, bigint, text[]) to authenticated;
--! EndIncluded app/budget/budgets_as_of.sql

-- For clients.
--! Included app/clients/orders_as_of.sql
-- The tenant's orders as they were at a position.
create or replace function api.orders_as_of(as_of bigint)
returns table (order_id text, budget_id text, status text, total bigint, placed_by uuid, version bigint, "position" bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select o.order_id, o.budget_id, o.status, o.total, o.placed_by, o.version, o.position
  from intent.orders_as_of(intent.current_tenant_id(), as_of) as o;
end
$$;
comment on function api.orders_as_of(bigint) is 'The tenant''s orders as they were at a position.';
grant execute on function api.orders_as_of(bigint) to authenticated;
--! EndIncluded app/clients/orders_as_of.sql
--! Included app/clients/orders.sql
-- The tenant's orders.
create or replace view api.orders with (security_invoker = true) as
  select order_id, budget_id, status, total, placed_by, version, position from intent.orders;
comment on view api.orders is 'The tenant''s orders; total in cents.';
grant select on api.orders to authenticated;
--! EndIncluded app/clients/orders.sql
--! Included app/clients/budgets.sql
-- The tenant's budgets.
create or replace view api.budgets with (security_invoker = true) as
  select budget_id, name, spending_limit, reserved, spent, version, position from intent.budgets;
comment on view api.budgets is 'The tenant''s budgets; amounts in cents.';
grant select on api.budgets to authenticated;
--! EndIncluded app/clients/budgets.sql

reset role;

-- The Data API keeps what it knows of schema api until it is told. Supabase does so after each statement; elsewhere nobody would.
notify pgrst, 'reload schema';
--! EndIncluded app/behaviour.sql
