-- Read models from the events alone: as of a position, compared with what is kept, and made anew.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(15);

create function tests.append(aggregate_type text, aggregate_id text, type text, payload jsonb default '{}') returns bigint language sql as $$
  select last_position from intent.append_events(rose(), aggregate_type, aggregate_id, null, jsonb_build_array(jsonb_build_object('type', type, 'schemaVersion', 1, 'payload', payload)));
$$;
select append('budget', 'food', 'BudgetOpened', '{"name": "Food", "limit": 1000}');
select append('order', order_id(1), 'OrderPlaced', jsonb_build_object('budgetId', 'food', 'lines', '[]'::jsonb, 'total', 300, 'placedBy', bob(), 'needsApproval', false));
select append('budget', 'food', 'BudgetReserved', jsonb_build_object('orderId', order_id(1), 'amount', 300));
select append('budget', 'food', 'BudgetSpent', jsonb_build_object('orderId', order_id(1), 'amount', 300));
select append('order', order_id(1), 'OrderConfirmed');
select append('budget', 'food', 'BudgetLimitChanged', '{"limit": 2000}');
select append('order', order_id(1), 'OrderShelved');
select append('order', order_id(1), 'OrderCancelled', '{"budgetId": "food"}');
select append('budget', 'food', 'BudgetReleased', jsonb_build_object('orderId', order_id(1), 'amount', 300));

select is_empty($$select from intent.read_model_drift(rose())$$, 'what triggers keep is what the events make');
select is(intent.rebuild_read_models(rose()), 0, 'so a rebuild changes nothing');

select sign_in(bob(), rose());
select results_eq($$select status, version from api.orders_as_of(5)$$, $$values ('confirmed', 2::bigint)$$, 'a member sees its orders as they were');
select results_eq($$select status from api.orders_as_of(null)$$, $$values ('cancelled')$$, 'or as they are');
select is_empty($$select from api.orders_as_of(1)$$, 'before there were any, none');
select is(api.stream_as_of('order', order_id(1), 2) ->> 'version', '2', 'a stream up to a version');
select is(api.stream_as_of('order', order_id(1), "at" => '2000-01-01') , '{"version": 0, "events": []}', 'or up to a time');
select sign_in(dave(), thorn());
select is_empty($$select from api.orders_as_of(null)$$, 'another tenant has its own past');
select is(api.stream_as_of('order', order_id(1)) ->> 'version', '0', 'and its own streams');
reset role;

select intent.enter_tenant(rose());
select results_eq($$select spending_limit, reserved, spent from intent.budgets_as_of(rose(), 3)$$, $$values (1000::bigint, 300::bigint, 0::bigint)$$, 'a budget as it was');

update intent.orders set status = 'placed' where tenant_id = rose();
update intent.budgets set spent = 7 where tenant_id = rose();
delete from intent.budget_shares where tenant_id = rose();
select results_eq($$select read_model, kept ->> 'status' from intent.read_model_drift(rose()) order by 1$$,
  $$values ('budget_shares', null), ('budgets', null), ('orders', 'placed')$$, 'what was falsified is found');
select is(intent.rebuild_read_models(rose(), 1), 1, 'and made anew, some aggregates at a time');
select is(intent.rebuild_read_models(rose()), 1, 'until nothing is left');
select is_empty($$select from intent.read_model_drift(rose())$$, 'then all is as the events make it');
set local role intent_worker;
select throws_ok($$select intent.rebuild_read_models(rose())$$, '42501', null, 'an operator does it, nobody else');

select * from finish();
rollback;
