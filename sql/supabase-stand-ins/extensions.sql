-- Supabase keeps extensions out of `public`. The local gateway needs pgcrypto for the hashes of passwords.

create schema extensions;
grant usage on schema extensions to anon, authenticated, service_role, supabase_auth_admin;
