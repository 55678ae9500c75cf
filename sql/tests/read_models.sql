-- The read models, kept by the append's own transaction.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(15);

create function tests.append(aggregate_type text, aggregate_id text, type text, payload jsonb default '{}') returns void language sql as $$
  select intent.append_events(tests.rose(), aggregate_type, aggregate_id, null, jsonb_build_array(jsonb_build_object('type', type, 'schemaVersion', 1, 'payload', payload)));
$$;
create function tests.status_after(event_type text) returns text language plpgsql as $$
begin
  perform append('order', order_id(1), event_type);
  return (select status from intent.orders where tenant_id = rose() and order_id = order_id(1));
end
$$;
create function tests.place(number integer, needs_approval boolean) returns void language sql as $$
  select append('order', order_id(number), 'OrderPlaced', jsonb_build_object(
    'budgetId', 'groceries', 'lines', '[]'::jsonb, 'total', 700, 'placedBy', tests.bob(), 'needsApproval', needs_approval));
$$;

select place(1, true), place(2, false);
select results_eq(
  $$select order_id, budget_id, status, total, placed_by, version, position from intent.orders where tenant_id = rose() order by 1$$,
  $$values (order_id(1), 'groceries', 'awaiting_approval', 700::bigint, bob(), 1::bigint, 1::bigint), (order_id(2), 'groceries', 'placed', 700, bob(), 1, 2)$$,
  'an order that is placed is a row, with version and position');
select is(status_after(event_type), status, format('%s makes it %s', event_type, status))
from (values ('OrderApproved', 'placed'), ('OrderConfirmed', 'confirmed'), ('OrderDelivered', 'delivered'), ('OrderCancelled', 'cancelled'),
  ('OrderRejected', 'rejected'), ('OrderArchived', 'rejected')) as step (event_type, status);
select results_eq(
  $$select version, position from intent.orders where tenant_id = rose() and order_id = order_id(1)$$, $$values (7::bigint, 8::bigint)$$,
  'an event without an effect on it moves its version on, too');

create function tests.budget_after(event_type text, payload jsonb) returns text language plpgsql as $$
begin
  perform append('budget', 'groceries', event_type, payload);
  return (select concat_ws(' ', spending_limit, reserved, spent) from intent.budgets where tenant_id = rose() and budget_id = 'groceries');
end
$$;
select is(budget_after(event_type, payload), figures, format('%s %s: limit, reserved and spent are %s', event_type, payload, figures))
from (values
  ('BudgetOpened', '{"name": "Groceries", "limit": 1000}'::jsonb, '1000 0 0'),
  ('BudgetReserved', '{"orderId": "one", "amount": 300}', '1000 300 0'),
  ('BudgetReserved', '{"orderId": "two", "amount": 200}', '1000 500 0'),
  ('BudgetSpent', '{"orderId": "one", "amount": 300}', '1000 200 300'),
  ('BudgetReleased', '{"orderId": "one", "amount": 300}', '1000 200 0'),
  ('BudgetReservationRefused', '{"orderId": "three", "amount": 900, "available": 800}', '1000 200 0'),
  ('BudgetLimitChanged', '{"limit": 400}', '400 200 0')
) as step (event_type, payload, figures);

select * from finish();
rollback;
