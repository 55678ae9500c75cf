-- Who sees which membership.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(6);

select intent.add_member(thorn(), alice(), 'guest');

select sign_in(alice(), rose());
select results_eq($$select tenant_id, role from intent.memberships order by 1$$, $$values (rose(), 'owner'), (thorn(), 'guest')$$,
  'a user sees its own memberships, of every tenant');
select is_empty($$select from intent.memberships where user_id <> alice()$$, 'and nobody else''s');
select throws_ok($$update intent.memberships set role = 'owner'$$, '42501', null, 'it does not promote itself');
select throws_ok($$insert into intent.memberships (tenant_id, user_id, role) values (thorn(), alice(), 'owner')$$, '42501', null, 'nor invite itself');
select throws_ok($$select intent.add_member(thorn(), alice(), 'owner')$$, '42501', null, 'also not by the operator''s function');
reset role;
set local role anon;
select throws_ok($$select from intent.memberships$$, '42501', null, 'who is not signed in has no access');

select * from finish();
rollback;
