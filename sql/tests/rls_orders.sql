-- Who reads whose orders.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(6);

insert into intent.orders (tenant_id, order_id, budget_id, status, total, placed_by, version, position)
  values (rose(), 'of rose', 'groceries', 'placed', 700, bob(), 1, 1), (thorn(), 'of thorn', 'groceries', 'placed', 700, dave(), 1, 1);

select sign_in(carol(), rose());
select results_eq($$select order_id from intent.orders$$, $$values ('of rose')$$, 'a member reads the orders of its tenant');
select results_eq($$select order_id from api.orders$$, $$values ('of rose')$$, 'through the view, too');
select throws_ok($$update intent.orders set version = 9$$, '42501', null, 'and changes none');
select sign_in(carol(), thorn());
select is_empty($$select from intent.orders$$, 'a claimed tenant without its membership shows nothing');
reset role;
set local role anon;
select throws_ok($$select from intent.orders$$, '42501', null, 'who is not signed in has no access');
reset role;
set local role intent_owner;
select intent.enter_tenant(thorn());
select results_eq($$select order_id from intent.orders$$, $$values ('of thorn')$$, 'the owner itself sees the tenant that its function has entered');

select * from finish();
rollback;
