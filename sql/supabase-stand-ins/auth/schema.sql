-- The schema of Supabase Auth. Everybody may call auth.uid() and its like; the tables are for Auth alone.

create schema auth authorization supabase_auth_admin;
grant usage on schema auth to anon, authenticated, service_role;
