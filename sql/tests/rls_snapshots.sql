-- Who reads whose snapshots.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(5);

insert into intent.snapshots (tenant_id, aggregate_type, aggregate_id, version, state_version, state)
  values (rose(), 'note', 'of rose', 1, 1, '{}'), (thorn(), 'note', 'of thorn', 1, 1, '{}');

select sign_in(carol(), rose());
select results_eq($$select aggregate_id from intent.snapshots$$, $$values ('of rose')$$, 'a member reads the snapshots of its tenant');
select throws_ok($$update intent.snapshots set version = 9$$, '42501', null, 'and changes none');
select sign_in(carol(), thorn());
select is_empty($$select from intent.snapshots$$, 'a claimed tenant without its membership shows nothing');
reset role;
set local role anon;
select throws_ok($$select from intent.snapshots$$, '42501', null, 'who is not signed in has no access');
reset role;
set local role intent_owner;
select intent.enter_tenant(thorn());
select results_eq($$select aggregate_id from intent.snapshots$$, $$values ('of thorn')$$, 'the owner itself sees the tenant that its function has entered');

select * from finish();
rollback;
