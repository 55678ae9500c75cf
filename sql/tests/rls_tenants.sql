-- Who sees which tenant.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(7);

select sign_in(bob(), rose());
select results_eq($$select tenant_id from intent.tenants$$, $$values (rose())$$, 'a member sees its tenant');
select is(jsonb_path_query_array(api.my_tenants(), '$[*].tenantId'), jsonb_build_array(rose()), 'and may list what it belongs to');
select throws_ok($$select api.switch_tenant(thorn())$$, 'IN403', null, 'it does not switch to a tenant of others');
select throws_ok($$select api.switch_tenant(command_id(1))$$, 'IN403', null, 'as little as to one that is not there');
select throws_ok($$update intent.tenants set commands_per_second = null$$, '42501', null, 'and changes none');
select sign_in(bob(), thorn());
select is_empty($$select from intent.tenants$$, 'a claimed tenant without its membership shows nothing');
reset role;
set local role anon;
select throws_ok($$select from intent.tenants$$, '42501', null, 'who is not signed in has no access');

select * from finish();
rollback;
