-- What api.submit_command accepts, as whom, and each of its refusals.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(47);

select sign_in(bob(), rose());
select is(api.submit_command(command_id(1), 'CancelOrder', 'order', order_id(1), '{"reason": "too late"}'),
  jsonb_build_object('commandId', command_id(1), 'status', 'pending', 'duplicate', false, 'outcome', null), 'a command is taken, and pending');
select is(api.submit_command(command_id(1), 'CancelOrder', 'order', order_id(1), '{"reason": "too late"}'),
  jsonb_build_object('commandId', command_id(1), 'status', 'pending', 'duplicate', true, 'outcome', null), 'the same again is a duplicate');
select is(api.submit_command(command_id(1), 'CancelOrder', 'order', order_id(1), '{"reason": "too late"}', traceparent => '00-1-2-01') -> 'duplicate', 'true',
  'also with another trace context');

select throws_ok(format('select api.submit_command(command_id(1), %s)', other.arguments), 'IN409', null, format('the id with other content is refused with IN409: %s', other.arguments))
from (values
  ($$'CancelOrder', 'order', order_id(1), '{}'$$),
  ($$'CancelOrder', 'order', order_id(2), '{"reason": "too late"}'$$),
  ($$'PlaceOrder', 'order', order_id(1), '{"reason": "too late"}'$$),
  ($$'CancelOrder', 'order', order_id(1), '{"reason": "too late"}', expected_version => 1$$),
  ($$'CancelOrder', 'order', order_id(1), '{"reason": "too late"}', correlation_id => command_id(9)$$),
  ($$'CancelOrder', 'order', order_id(1), '{"reason": "too late"}', causation_id => command_id(9)$$),
  ($$'CancelOrder', 'order', order_id(1), '{"reason": "too late"}', execute_at => now()$$)
) as other (arguments);
select sign_in(alice(), rose());
select throws_ok($$select api.submit_command(command_id(1), 'CancelOrder', 'order', order_id(1), '{"reason": "too late"}')$$, 'IN409', null,
  'the same content from another member is refused with IN409');
select sign_in(dave(), thorn());
select is(api.submit_command(command_id(1), 'PlaceOrder', 'order', order_id(7), '{}') -> 'duplicate', 'false',
  'the same id in another tenant is another command');
reset role;
select results_eq(
  $$select tenant_id, actor_user_id, actor_role, correlation_id from intent.commands where command_id = command_id(1) order by 1$$,
  $$values (rose(), bob(), 'member', command_id(1)), (thorn(), dave(), 'owner', command_id(1))$$,
  'tenant, actor and role are those of the claims and the membership; the correlation id is the command''s where none is given');

-- IN403
select sign_in(bob(), rose());
select throws_ok($$select api.submit_command(command_id(2), 'ConfirmOrder', 'order', order_id(1), '{}')$$, 'IN403', 'ConfirmOrder is sent by the system only',
  'a type that only the system sends is refused with IN403');
select sign_in(dave(), rose());
select throws_ok($$select api.submit_command(command_id(2), 'PlaceOrder', 'order', order_id(1), '{}')$$, 'IN403', 'you are not a member of this tenant',
  'a tenant of others is refused with IN403');
select sign_in(bob(), null);
select throws_ok($$select api.submit_command(command_id(2), 'PlaceOrder', 'order', order_id(1), '{}')$$, 'IN403', null, 'no tenant is refused with IN403');
select sign_in(null, rose());
select throws_ok($$select api.submit_command(command_id(2), 'PlaceOrder', 'order', order_id(1), '{}')$$, 'IN403', null, 'nobody is refused with IN403');
reset role;
update intent.memberships set status = 'removed' where tenant_id = rose() and user_id = carol();
select sign_in(carol(), rose());
select throws_ok($$select api.submit_command(command_id(2), 'PlaceOrder', 'order', order_id(1), '{}')$$, 'IN403', null, 'a removed member is refused with IN403');
select throws_ok($$select intent.submit_system_command(rose(), command_id(2), 'ConfirmOrder', 'order', order_id(1), '{}', null, null)$$, '42501', null,
  'a person may not submit as the system');
select throws_ok($$insert into intent.commands (tenant_id, command_id) values (rose(), command_id(2))$$, '42501', null, 'nor insert a command by hand');

-- IN422
select sign_in(bob(), rose());
select throws_ok(format('select api.submit_command(%s)', bad.arguments), 'IN422', bad.message, format('IN422 where %s', bad.reason))
from (values
  ('the id is missing', $$null, 'PlaceOrder', 'order', order_id(1), '{}'$$, 'command_id is missing'),
  ('the type is unknown', $$command_id(2), 'EatOrder', 'order', order_id(1), '{}'$$, 'there is no command of type ''EatOrder'''),
  ('the type is null', $$command_id(2), null, 'order', order_id(1), '{}'$$, 'there is no command of type null'),
  ('the type is of another aggregate', $$command_id(2), 'PlaceOrder', 'budget', 'groceries', '{}'$$, 'PlaceOrder is a command of the aggregate type order'),
  ('the id of an order is no uuid', $$command_id(2), 'PlaceOrder', 'order', 'one', '{}'$$, null),
  ('the id of an order is in upper case', $$command_id(2), 'PlaceOrder', 'order', upper(order_id(1)), '{}'$$, null),
  ('a second line follows the id', $$command_id(2), 'PlaceOrder', 'order', order_id(1) || E'\n', '{}'$$, null),
  ('the id of a budget is malformed', $$command_id(2), 'OpenBudget', 'budget', 'Groceries!', '{}'$$, null),
  ('the aggregate id is null', $$command_id(2), 'PlaceOrder', 'order', null, '{}'$$, null),
  ('the payload is an array', $$command_id(2), 'PlaceOrder', 'order', order_id(1), '[]'$$, 'payload must be a JSON object'),
  ('the payload is null', $$command_id(2), 'PlaceOrder', 'order', order_id(1), null$$, 'payload must be a JSON object'),
  ('the payload is over 256 KiB', $$command_id(2), 'PlaceOrder', 'order', order_id(1), jsonb_build_object('text', repeat('x', 262144))$$, 'payload is over 256 KiB'),
  ('the payload is nested 33 levels deep', $$command_id(2), 'PlaceOrder', 'order', order_id(1), (repeat('{"a":', 32) || '{}' || repeat('}', 32))::jsonb$$, 'payload is nested more than 32 levels deep'),
  ('the expected version is negative', $$command_id(2), 'PlaceOrder', 'order', order_id(1), '{}', expected_version => -1$$, 'expected_version must be 0 or more'),
  ('the time is infinite', $$command_id(2), 'PlaceOrder', 'order', order_id(1), '{}', execute_at => 'infinity'$$, 'execute_at must be a time at most a year ahead'),
  ('the time is over a year ahead', $$command_id(2), 'PlaceOrder', 'order', order_id(1), '{}', execute_at => now() + interval '367 days'$$, 'execute_at must be a time at most a year ahead'),
  ('the schema version is unknown', $$command_id(2), 'PlaceOrder', 'order', order_id(1), '{}', schema_version => 2$$, 'schema_version must be from 1 to 1'),
  ('the schema version is null', $$command_id(2), 'PlaceOrder', 'order', order_id(1), '{}', schema_version => null$$, 'schema_version must be from 1 to 1'),
  ('the trace context is too long', $$command_id(2), 'PlaceOrder', 'order', order_id(1), '{}', traceparent => repeat('0', 101)$$, 'traceparent is not a trace context')
) as bad (reason, arguments, message);
select lives_ok($$select api.submit_command(command_id(3), 'PlaceOrder', 'order', order_id(1), (repeat('{"a":', 31) || '{}' || repeat('}', 31))::jsonb)$$,
  '32 levels are deep enough');

-- IN429
reset role;
update intent.tenants set commands_per_second = 1 where tenant_id = thorn();
select sign_in(dave(), thorn());
select throws_ok($$select api.submit_command(command_id(n), 'PlaceOrder', 'order', order_id(n), '{}') from generate_series(10, 19) as n$$,
  'IN429', 'this tenant may submit 1 commands a second', 'a tenant over its rate is refused with IN429');
select lives_ok($$select api.submit_command(command_id(1), 'PlaceOrder', 'order', order_id(7), '{}') from generate_series(1, 10)$$,
  'what is there already does not count');

-- As the system
reset role;
set local role intent_worker;
select is(intent.submit_system_command(rose(), command_id(20), 'ConfirmOrder', 'order', order_id(1), '{}', command_id(1), command_id(2)),
  jsonb_build_object('commandId', command_id(20), 'status', 'pending', 'duplicate', false, 'outcome', null), 'the system may send what a person may not');
select is(intent.submit_system_command(rose(), command_id(20), 'ConfirmOrder', 'order', order_id(1), '{}', command_id(1), command_id(2)) -> 'duplicate', 'true',
  'the same again is a duplicate');
select throws_ok($$select intent.submit_system_command(command_id(1), command_id(21), 'ConfirmOrder', 'order', order_id(1), '{}', null, null)$$, 'IN404', null,
  'for an unknown tenant it is refused with IN404');
select throws_ok($$select intent.submit_system_command(rose(), command_id(21), 'EatOrder', 'order', order_id(1), '{}', null, null)$$, 'IN422', null,
  'of an unknown type it is refused with IN422');
reset role;
select results_eq(
  $$select actor_user_id, actor_role, correlation_id, causation_id from intent.commands where tenant_id = rose() and command_id = command_id(20)$$,
  $$values (null::uuid, 'system', command_id(1), command_id(2))$$, 'its actor is the system');

select * from finish();
rollback;
