-- Roles and schemas. Login roles get their passwords outside the migrations, and no privilege on any table: functions only.
-- Roles belong to the cluster, so each is made only where it is missing.

do $$
declare
  role_name text;
begin
  foreach role_name in array array['intent_owner', 'intent_system'] loop
    if to_regrole(role_name) is null then
      execute format('create role %I nologin', role_name);
    end if;
    -- The migrating role need not be a superuser: it acts as these two by membership.
    execute format('grant %I to current_user', role_name);
  end loop;
  foreach role_name in array array['intent_pump', 'intent_worker', 'intent_operator'] loop
    if to_regrole(role_name) is null then
      execute format('create role %I login noinherit', role_name);
    end if;
  end loop;
end
$$;

comment on role intent_owner is 'Owns the schemas intent and api. No login, no BYPASSRLS: forced policies bind it too.';
comment on role intent_system is 'Owns the few definer functions that span tenants. No login, no BYPASSRLS.';
comment on role intent_pump is 'The command pump: executes claim and dispatch functions, no table privileges.';
comment on role intent_worker is 'The worker: executes load, append, settle and snapshot functions, one tenant at a time.';
comment on role intent_operator is 'A person on call: reads across tenants and retries by functions that leave a record.';

-- An append holds its tenant's lock until it commits: a client that hangs must not hold it for long.
alter role intent_pump set idle_in_transaction_session_timeout = '10s';
alter role intent_pump set lock_timeout = '5s';
alter role intent_worker set idle_in_transaction_session_timeout = '10s';
alter role intent_worker set lock_timeout = '5s';

create schema if not exists intent authorization intent_owner;
create schema if not exists api authorization intent_owner;
comment on schema intent is 'Tables, and the functions for pump, worker and operator. Not exposed to clients.';
comment on schema api is 'What clients may call, as themselves: the schema that PostgREST exposes.';

set local role intent_owner;
-- New functions are executable by nobody until a grant says otherwise.
alter default privileges for role intent_owner revoke execute on functions from public;
grant usage on schema intent to authenticated, intent_pump, intent_worker, intent_operator, supabase_auth_admin;
grant usage, create on schema intent to intent_system;
grant usage on schema api to authenticated;
grant usage, create on schema api to intent_system;
reset role;

set local role intent_system;
alter default privileges for role intent_system revoke execute on functions from public;
reset role;
