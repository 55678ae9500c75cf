-- Two households with their people, and the shapes of what they do: short names for what the tests are about.
create schema tests;
grant usage on schema tests to public;

create function tests.rose() returns uuid immutable language sql as $$ select 'a0000000-0000-7000-8000-000000000001'::uuid; $$;
create function tests.thorn() returns uuid immutable language sql as $$ select 'a0000000-0000-7000-8000-000000000002'::uuid; $$;
-- Rose's owner, member and guest; Thorn's owner.
create function tests.alice() returns uuid immutable language sql as $$ select 'b0000000-0000-7000-8000-000000000001'::uuid; $$;
create function tests.bob() returns uuid immutable language sql as $$ select 'b0000000-0000-7000-8000-000000000002'::uuid; $$;
create function tests.carol() returns uuid immutable language sql as $$ select 'b0000000-0000-7000-8000-000000000003'::uuid; $$;
create function tests.dave() returns uuid immutable language sql as $$ select 'b0000000-0000-7000-8000-000000000004'::uuid; $$;

create function tests.command_id(number integer) returns uuid immutable language sql as $$
  select ('c0000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid;
$$;
create function tests.order_id(number integer) returns text immutable language sql as $$
  select 'd0000000-0000-7000-8000-' || lpad(number::text, 12, '0');
$$;

-- Events of a stream that no slice knows.
create function tests.notes(how_many integer) returns jsonb immutable language sql as $$
  select jsonb_agg(jsonb_build_object('type', 'NoteTaken', 'schemaVersion', 1, 'payload', jsonb_build_object('number', n))) from generate_series(1, how_many) as n;
$$;

-- As PostgREST does it for a verified token, until `reset role` or the next one.
create function tests.sign_in(user_id uuid, tenant_id uuid) returns void language plpgsql as $$
begin
  perform set_config('role', 'authenticated', true);
  perform set_config('request.jwt.claims', jsonb_build_object('role', 'authenticated', 'sub', user_id, 'tenant_id', tenant_id)::text, true);
end
$$;

-- Submits as a person, and signs out again.
create function tests.submit(
  user_id uuid, tenant_id uuid, command_id uuid, type text, aggregate_type text, aggregate_id text, payload jsonb default '{}',
  execute_at timestamptz default null
) returns jsonb language plpgsql as $$
declare
  answer jsonb;
begin
  perform tests.sign_in(user_id, tenant_id);
  answer := api.submit_command(command_id, type, aggregate_type, aggregate_id, payload, execute_at => execute_at);
  perform set_config('role', 'none', true), set_config('request.jwt.claims', '', true);
  return answer;
end
$$;

-- The DETAIL of the error that a statement raises, as jsonb; null if it raises none.
create function tests.detail_of(statement text) returns jsonb language plpgsql as $$
declare
  detail text;
begin
  execute statement;
  return null;
exception when others then
  get stacked diagnostics detail = pg_exception_detail;
  return detail::jsonb;
end
$$;

do $$
begin
  perform set_config('search_path', current_setting('search_path') || ', tests', true);
  perform intent.create_tenant(rose(), 'Rose of the tests'), intent.create_tenant(thorn(), 'Thorn of the tests');
  perform intent.add_member(rose(), alice(), 'owner'), intent.add_member(rose(), bob(), 'member'), intent.add_member(rose(), carol(), 'guest');
  perform intent.add_member(thorn(), dave(), 'owner');
end
$$;
