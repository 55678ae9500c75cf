-- How a command ends, once.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(26);

select submit(bob(), rose(), command_id(n), 'CancelOrder', 'order', order_id(n)) from generate_series(1, 4) as n;
create function tests.command(number integer) returns intent.commands stable security definer language sql as $$
  select c from intent.commands as c where c.tenant_id = tests.rose() and c.command_id = tests.command_id(number);
$$;
set local role intent_pump;
select intent.claim_commands('pump-1', 1000, '1 minute');
set local role intent_worker;

-- Rejected: the domain said no.
select lives_ok($$select intent.reject_command(rose(), command_id(1), 'NOT_ALLOWED', 'Only its owner may.', '{"role": "member"}')$$,
  'a command can be rejected before it is marked as dispatched: a worker can be faster than the pump');
select is((command(1)).status, 'rejected', 'it is rejected then');
select is((command(1)).outcome, '{"code": "NOT_ALLOWED", "message": "Only its owner may.", "details": {"role": "member"}}', 'with code, message and details');
select isnt((command(1)).completed_at, null, 'and the time');
set local role intent_pump;
select ok(not intent.mark_dispatched(rose(), command_id(1), 1), 'a late mark answers false');
set local role intent_worker;
select is((command(1)).status, 'rejected', 'and does not open it again');
select lives_ok($$select intent.reject_command(rose(), command_id(1), 'NOT_ALLOWED', 'Only its owner may.', '{"role": "member"}')$$, 'the same rejection again is silent');
select throws_ok($$select intent.reject_command(rose(), command_id(1), 'CONFLICT', 'No.', '{}')$$, 'IN410', null, 'another one is refused with IN410');
select throws_ok($$select intent.fail_command(rose(), command_id(1), '{}')$$, 'IN410', null, 'a failure is refused with IN410');
select is(detail_of($$select intent.fail_command(rose(), command_id(1), '{}')$$), '{"status": "rejected"}', 'with the status in its DETAIL');
select throws_ok(format('select intent.reject_command(rose(), command_id(2), %s)', bad), 'IN422', null, format('a rejection with %s is refused with IN422', bad))
from unnest(array[$$null, 'No.', '{}'$$, $$'no', 'No.', '{}'$$, $$'NO', null, '{}'$$]) as bad;
select throws_ok($$select intent.reject_command(rose(), command_id(99), 'NO', 'No.', '{}')$$, 'IN404', null, 'an unknown command is refused with IN404');
select throws_ok($$select intent.reject_command(thorn(), command_id(2), 'NO', 'No.', '{}')$$, 'IN404', null, 'and so is one of another tenant');

-- Succeeded.
select intent.append_events(rose(), 'order', order_id(2), 0, notes(1), command_id(2));
select throws_ok($$select intent.reject_command(rose(), command_id(2), 'NO', 'No.', '{}')$$, 'IN410', null, 'a success is not rejected any more (IN410)');

-- Failed, and tried again.
select intent.fail_command(rose(), command_id(3), '{"message": "the supplier is on fire"}');
select is((command(3)).outcome ->> 'code', 'FAILED', 'a failed command tells its submitter that it failed');
select is((command(3)).error, '{"message": "the supplier is on fire"}', 'and the operator why');
select lives_ok($$select intent.fail_command(rose(), command_id(3), '{"message": "still on fire"}')$$, 'a second failure is silent');
select throws_ok($$select intent.append_events(rose(), 'order', order_id(3), 0, notes(1), command_id(3))$$, 'IN410', null, 'an append for it is refused with IN410');
set local role intent_operator;
select lives_ok($$select intent.retry_command(rose(), command_id(3))$$, 'an operator puts it back');
select is((command(3)).status, 'pending', 'it is pending then');
select throws_ok($$select intent.retry_command(rose(), command_id(2))$$, 'IN410', null, 'what has not failed is not put back (IN410)');
select throws_ok($$select intent.retry_command(rose(), command_id(99))$$, 'IN404', null, 'an unknown command is refused with IN404');
set local role intent_pump;
select results_eq($$select fencing_token, attempts from intent.claim_commands('pump-1', 1000, '1 minute') where tenant_id = rose()$$, $$values (2::bigint, 2)$$,
  'it is claimed again, as the second attempt');

reset role;
select throws_ok($$update intent.commands set status = 'failed' where tenant_id = rose() and command_id = command_id(4)$$, '23514', null,
  'no row says that it has ended without its outcome and its time');

select * from finish();
rollback;
