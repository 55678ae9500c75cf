-- Tables that only our own functions touch.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(53);

create temp table hidden (name) on commit drop as values
  ('budget_shares'), ('checkpoints'), ('claim_turns'), ('message_types'), ('operator_log'), ('processes'), ('reactions'), ('read_models'), ('session_tenants'),
  ('submission_counts');
grant select on hidden to public;

select throws_ok(format('do $do$ begin set local role %I; perform * from intent.%I; end $do$', role, hidden.name), '42501', null,
  format('%s does not read %s', role, hidden.name))
from hidden cross join unnest(array['anon', 'authenticated', 'intent_pump', 'intent_worker', 'intent_operator']) as role;

insert into intent.budget_shares values (rose(), 'groceries', 'of rose', 0, 0), (thorn(), 'groceries', 'of thorn', 0, 0);
insert into intent.checkpoints values (rose(), 'of rose', 0), (thorn(), 'of thorn', 0);
insert into intent.reactions values (rose(), 'fulfilment', 'of rose', 1, '{}'), (thorn(), 'fulfilment', 'of thorn', 1, '{}');
set local role intent_owner;
select intent.enter_tenant(thorn());
select results_eq(format('select %I from intent.%I', key, table_name), $$values ('of thorn')$$, format('the owner sees %s of the tenant that its function has entered', table_name))
from (values ('budget_shares', 'order_id'), ('checkpoints', 'subscription'), ('reactions', 'key')) as kept (table_name, key);

select * from finish();
rollback;
