-- Makes a server with the stand-ins look like a hosted Supabase project's: who is superuser, what belongs to whom, and how little
-- the project's administrator `postgres` may. Run by the superuser supabase_admin, in the project's database.
alter schema auth owner to supabase_admin;
alter schema realtime owner to supabase_admin;
alter schema extensions owner to supabase_admin;
grant usage on schema realtime, auth, extensions to postgres;
-- Realtime's server makes the partitions.
grant usage, create on schema realtime to supabase_realtime_admin;
grant all on realtime.messages to postgres;
grant execute on function realtime.send(jsonb, text, text, boolean), realtime.topic() to postgres;
grant usage, create on schema auth to supabase_auth_admin;
grant all on all tables in schema auth to postgres;
grant create on schema extensions to postgres;

grant anon, authenticated, service_role, authenticator to postgres with admin option;
-- The local server is asked by `postgres` whether it is up.
grant pg_monitor to postgres;
alter role postgres set search_path = "$user", public, extensions;
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';

-- Supabase's extension supautils lets `postgres` write policies on realtime.messages, no matter who owns it, and nothing more. Here the
-- owner's rights are lent for just that statement.
create schema supautils;
create function supautils.lend_policies() returns event_trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if session_user = 'postgres' and current_setting('role') = 'none' and not pg_has_role('postgres', 'supabase_realtime_admin', 'member') then
    grant supabase_realtime_admin to postgres with inherit true, set false;
    perform set_config('supautils.lent', 'yes', true);
  end if;
end
$$;
create function supautils.take_back_policies() returns event_trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('supautils.lent', true) = 'yes' then
    revoke supabase_realtime_admin from postgres;
    perform set_config('supautils.lent', '', true);
  end if;
end
$$;
create event trigger lend_policies on ddl_command_start when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY')
  execute function supautils.lend_policies();
create event trigger take_back_policies on ddl_command_end when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY')
  execute function supautils.take_back_policies();
