-- A command that was put off by execute_at acts as its sender may when it is due.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(8);

create function tests.role_of(number integer) returns text language sql as $$
  select intent.load_command(rose(), command_id(number), '{}') -> 'actor' ->> 'role';
$$;
create function tests.role_in_batch(number integer) returns text language sql as $$
  select intent.load_batch(rose(), array[command_id(number)], 0, '{}') #>> '{0,commands,0,actor,role}';
$$;

select intent.add_member(rose(), dave(), 'owner');
select submit(user_id, rose(), command_id(number), 'CancelOrder', 'order', order_id(number), execute_at => at)
from (values (1, alice(), now() + interval '300 days'), (2, bob(), now() + interval '1 hour'), (3, bob(), null), (4, carol(), now() - interval '1 day'))
  as sent (number, user_id, at);
select intent.submit_system_command(rose(), command_id(5), 'ConfirmOrder', 'order', order_id(5), '{}', null, null, now() + interval '1 hour');

select is(role_of(1), 'owner', 'with the role that the sender has');
select sign_in(dave(), rose());
select api.change_role(alice(), 'guest');
select api.remove_member(bob());
select api.remove_member(carol());
reset role;
select is(role_of(1), 'guest', 'an owner no longer acts as none');
select is(role_in_batch(1), 'guest', 'in batches too');
select is(role_of(2), null, 'who was removed has no role');
select is(role_of(3), 'member', 'what was sent at once is what the sender was allowed then');
select is(role_of(4), 'guest', 'so is what was due when it was sent');
select is(role_of(5), 'system', 'and what the system has put off');
select intent.add_member(rose(), bob(), 'member');
select is(role_of(2), 'member', 'who is a member again has the role again');

select * from finish();
rollback;
