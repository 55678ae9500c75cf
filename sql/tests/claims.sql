-- What a pump gets: in order, one of an aggregate, when due, under a lease.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(22);

-- What a claim takes of these households; others of the database may wait, too.
create function tests.claim(pump text default 'pump-1', lease interval default '1 minute') returns table (command_id uuid, fencing_token bigint)
language sql as $$
  select c.command_id, c.fencing_token from intent.claim_commands(pump, 1000, lease) as c where c.tenant_id in (rose(), thorn()) order by 1;
$$;

select submit(bob(), rose(), command_id(n), 'CancelOrder', 'order', order_id(1)) from generate_series(1, 3) as n;
select submit(bob(), rose(), command_id(4), 'CancelOrder', 'order', order_id(2));
select submit(bob(), rose(), command_id(5), 'CancelOrder', 'order', order_id(3), execute_at => clock_timestamp() + interval '1 hour');
select submit(bob(), rose(), command_id(6), 'PlaceOrder', 'order', order_id(3));
select submit(dave(), thorn(), command_id(1), 'CancelOrder', 'order', order_id(1));

set local role intent_pump;
select results_eq(
  $$select * from claim()$$,
  $$values (command_id(1), 1::bigint), (command_id(1), 1), (command_id(4), 1), (command_id(6), 1)$$,
  'the oldest of each aggregate are claimed; the same aggregate of another tenant is another one, and what waits for its time holds up nobody');
select is_empty($$select * from claim()$$, 'while they are in flight there is nothing more to claim');
select ok(intent.mark_dispatched(rose(), command_id(1), 1), 'a claim can be marked as dispatched');
select ok(not intent.mark_dispatched(rose(), command_id(1), 1), 'once');
select ok(not intent.mark_dispatched(rose(), command_id(4), 0), 'not with another fencing token');
select is_empty($$select * from claim()$$, 'what is dispatched is in flight still');

reset role;
select results_eq(
  $$select command_id, status, claimed_by, attempts from intent.commands where tenant_id = rose() and claimed_by is not null order by 1$$,
  $$values (command_id(1), 'dispatched', 'pump-1', 1), (command_id(4), 'pending', 'pump-1', 1), (command_id(6), 'pending', 'pump-1', 1)$$,
  'the rows say who has them');
select intent.reject_command(rose(), command_id(1), 'ORDER_NOT_FOUND', 'There is no such order.', '{}');
set local role intent_pump;
select results_eq($$select * from claim()$$, $$values (command_id(2), 1::bigint)$$, 'when one has ended the next of its aggregate is claimed');

-- A lease ends.
reset role;
update intent.commands set claimed_until = clock_timestamp() - interval '1 second' where tenant_id = rose() and command_id = command_id(2);
set local role intent_pump;
select results_eq($$select * from claim('pump-2')$$, $$values (command_id(2), 2::bigint)$$,
  'a claim whose lease has ended goes to another pump, with a higher fencing token');
select ok(not intent.mark_dispatched(rose(), command_id(2), 1), 'the late mark of the first pump is refused');
select ok(not intent.release_command(rose(), command_id(2), 1), 'and so is its release');
select ok(intent.mark_dispatched(rose(), command_id(2), 2), 'the second pump''s is not');
select ok(not intent.release_command(rose(), command_id(2), 2), 'what is dispatched is not given back');

-- A claim is given back.
select ok(intent.release_command(rose(), command_id(4), 1), 'a claim can be given back unused');
select results_eq($$select * from claim()$$, $$values (command_id(4), 2::bigint)$$, 'and is claimed again');
reset role;
select is(attempts, 1, 'as the first attempt still') from intent.commands where tenant_id = rose() and command_id = command_id(4);

-- A time comes.
update intent.commands set execute_at = clock_timestamp() - interval '1 minute' where tenant_id = rose() and command_id = command_id(5);
select intent.reject_command(rose(), command_id(6), 'ORDER_NOT_FOUND', 'There is no such order.', '{}');
set local role intent_pump;
select results_eq($$select * from claim()$$, $$values (command_id(5), 1::bigint)$$, 'a command is claimed when its time has come');

select throws_ok(format('select intent.claim_commands(%s)', bad), 'IN422', null, format('claim_commands(%s) is refused with IN422', bad))
from unnest(array[$$null, 1, '1 minute'$$, $$'pump-1', 0, '1 minute'$$, $$'pump-1', 1001, '1 minute'$$, $$'pump-1', 1, '-1 second'$$]) as bad;

reset role;
select throws_ok(
  $$update intent.commands set claimed_by = 'pump-1' where tenant_id = rose() and aggregate_id = order_id(1) and status in ('pending', 'dispatched')$$, '23505', null,
  'two of one aggregate in flight are refused by an index, whatever the claiming code does');

select * from finish();
rollback;
