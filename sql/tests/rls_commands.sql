-- Who reads whose commands.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(11);

select submit(bob(), rose(), command_id(1), 'CancelOrder', 'order', order_id(1)), submit(carol(), rose(), command_id(2), 'CancelOrder', 'order', order_id(2)),
  submit(dave(), thorn(), command_id(3), 'CancelOrder', 'order', order_id(3));

select sign_in(bob(), rose());
select results_eq($$select command_id from intent.commands order by 1$$, $$values (command_id(1))$$, 'a member reads the commands that it has sent');
select is(api.get_command(command_id(1)) ->> 'status', 'pending', 'and asks how one stands');
select is(api.get_command(command_id(2)), null, 'for that of somebody else it gets null');
select is(api.get_command(command_id(99)), null, 'as for one that is not there');
select sign_in(alice(), rose());
select results_eq($$select command_id from intent.commands order by 1$$, $$values (command_id(1)), (command_id(2))$$, 'an owner reads all of its tenant''s');
select is(api.get_command(command_id(3)), null, 'and none of another tenant''s');
select throws_ok($$update intent.commands set status = 'pending'$$, '42501', null, 'nobody changes one');
select throws_ok($$delete from intent.commands$$, '42501', null, 'nor deletes one');
select sign_in(alice(), thorn());
select is_empty($$select from intent.commands$$, 'the role of one tenant is nothing in another');
reset role;
set local role anon;
select throws_ok($$select from intent.commands$$, '42501', null, 'who is not signed in has no access');
reset role;
set local role intent_owner;
select intent.enter_tenant(thorn());
select results_eq($$select command_id from intent.commands$$, $$values (command_id(3))$$, 'the owner itself sees the tenant that its function has entered');

select * from finish();
rollback;
