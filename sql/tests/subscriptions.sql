-- Consumers outside of SQL: each tenant's feed in order, from a checkpoint, under a lease; dead letters; lag.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(18);

create function tests.claim(max_events integer default 100, out of_tenant uuid, out token bigint, out positions jsonb) language sql as $$
  select tenant_id, fencing_token, jsonb_path_query_array(events, '$[*].position') from intent.claim_feed('invoices', max_events, '1 minute')
  where tenant_id in (rose(), thorn());
$$;
-- What other tests have left is not ours to read.
insert into intent.checkpoints (tenant_id, subscription, position) select tenant_id, 'invoices', max(position) from intent.events group by tenant_id;

select is((claim()).of_tenant, null, 'where nothing has happened there is nothing to do');
select intent.append_events(rose(), 'note', 'a', 0, notes(3)), intent.append_events(thorn(), 'note', 'a', 0, notes(1));
select results_eq($$select waiting from intent.read_backlog() where status = 'subscription invoices' and tenant_id in (rose(), thorn()) order by 1$$,
  $$values (1::bigint), (3::bigint)$$, 'the backlog shows how far behind it is');

create temporary table first as select * from claim(2);
select is((select of_tenant from first), rose(), 'one tenant is claimed');
select is((select positions from first), '[1, 2]', 'its events come in order, as many as asked for');
create temporary table other as select * from claim();
select is((select of_tenant from other), thorn(), 'then another one');
select is((claim()).of_tenant, null, 'until the lease ends nobody else gets them');

select is(intent.acknowledge_feed('invoices', rose(), (select token from first), 2), true, 'what is done is acknowledged');
select is((claim()).positions, '[3]', 'the rest comes next');
select is(intent.acknowledge_feed('invoices', rose(), (select token from first), 3), false, 'a claim that has passed on acknowledges nothing');
select is(intent.acknowledge_feed('invoices', thorn(), (select token from other), 99), false, 'nor does one what has not happened');

select is(intent.skip_event('invoices', thorn(), (select token from other), 1, '{"name": "TypeError"}'), true, 'an event that cannot be dealt with is set aside');
select is(intent.acknowledge_feed('invoices', thorn(), (select token from other), 1), true, 'and gone past');
select results_eq($$select "position", error ->> 'name' from intent.skipped where subscription = 'invoices'$$, $$values (1::bigint, 'TypeError')$$, 'an operator sees it');
select lives_ok($$select intent.rewind_subscription('invoices', thorn(), 0)$$, 'and has it read again');
select is((claim()).positions, '[1]', 'from where it was told to');
select is_empty($$select from intent.skipped where subscription = 'invoices'$$, 'which is no dead letter any more');
select throws_ok($$select intent.rewind_subscription('invoices', thorn(), 7)$$, 'IN404', null, 'nobody skips ahead so');
select throws_ok($$select * from intent.claim_feed('Invoices!', 10, '1 minute')$$, 'IN422', null, 'a subscription has a proper name');

select * from finish();
rollback;
