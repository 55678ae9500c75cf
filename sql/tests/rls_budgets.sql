-- Who reads whose budgets.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(6);

insert into intent.budgets (tenant_id, budget_id, name, spending_limit, version, position)
  values (rose(), 'of rose', 'Groceries', 1000, 1, 1), (thorn(), 'of thorn', 'Groceries', 1000, 1, 1);

select sign_in(carol(), rose());
select results_eq($$select budget_id from intent.budgets$$, $$values ('of rose')$$, 'a member reads the budgets of its tenant');
select results_eq($$select budget_id from api.budgets$$, $$values ('of rose')$$, 'through the view, too');
select throws_ok($$update intent.budgets set version = 9$$, '42501', null, 'and changes none');
select sign_in(carol(), thorn());
select is_empty($$select from intent.budgets$$, 'a claimed tenant without its membership shows nothing');
reset role;
set local role anon;
select throws_ok($$select from intent.budgets$$, '42501', null, 'who is not signed in has no access');
reset role;
set local role intent_owner;
select intent.enter_tenant(thorn());
select results_eq($$select budget_id from intent.budgets$$, $$values ('of thorn')$$, 'the owner itself sees the tenant that its function has entered');

select * from finish();
rollback;
