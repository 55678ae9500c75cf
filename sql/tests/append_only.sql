-- Nobody changes or deletes a recorded event: neither the owner nor a superuser, nor in replica mode.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(24);

select intent.append_events(rose(), 'note', 'a', 0, notes(2));

create temp table harm (verb, statement) on commit drop as values
  ('UPDATE', $$update intent.events set payload = '{"forged": true}' where tenant_id = rose()$$),
  ('DELETE', $$delete from intent.events where tenant_id = rose()$$),
  ('TRUNCATE', $$truncate intent.events$$),
  ('UPDATE', $$insert into intent.events select * from intent.events where tenant_id = rose()
    on conflict (tenant_id, position) do update set payload = '{"forged": true}'$$),
  ('UPDATE', $$merge into intent.events as e using (select rose() as tenant_id) as t on e.tenant_id = t.tenant_id when matched then update set type = 'Forged'$$),
  ('DELETE', $$merge into intent.events as e using (select rose() as tenant_id) as t on e.tenant_id = t.tenant_id when matched then delete$$);
grant select on harm to public;

select throws_ok(statement, 'IN405', null, format('a superuser is refused with IN405: %s', left(statement, 40))) from harm;
set local session_replication_role = replica;
select throws_ok(statement, 'IN405', null, format('in replica mode too: %s', left(statement, 40))) from harm;
reset session_replication_role;

set local role intent_owner;
select intent.enter_tenant(rose());
select throws_ok(statement, '42501', null, format('the owner has no privilege: %s', left(statement, 40))) from harm where statement not like 'insert%' limit 3;
reset role;

grant update, delete, truncate on intent.events to intent_owner;
set local role intent_owner;
select throws_ok(statement, 'IN405', null, format('who has granted it to itself is refused with IN405: %s', left(statement, 40))) from harm limit 3;
reset role;

select throws_ok(format('do $do$ begin set local role %I; %s; end $do$', role, statement), '42501', null, format('%s has no privilege: %s', role, verb))
from harm cross join unnest(array['intent_worker', 'authenticated']) as role where verb <> 'TRUNCATE' and statement ~ '^(update|delete)';

select throws_ok($$update intent.events set position = position + 1 where tenant_id = rose()$$, 'IN405',
  'UPDATE on intent.events is refused: what is recorded is never changed and never deleted', 'the message says why');
select results_eq(
  $$select version, payload from intent.events where tenant_id = rose() order by 1$$,
  $$values (1::bigint, '{"number": 1}'::jsonb), (2, '{"number": 2}')$$,
  'all is as it was recorded');

select * from finish();
rollback;
