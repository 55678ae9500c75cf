-- The schema of Supabase Realtime.

create schema realtime authorization supabase_realtime_admin;
grant usage on schema realtime to anon, authenticated, service_role;
