-- Policies tell signed-in callers from anonymous ones with this.

create function auth.role() returns text
language sql stable
return nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role';
alter function auth.role() owner to supabase_auth_admin;

comment on function auth.role() is 'The role in the caller''s token; null without one.';
