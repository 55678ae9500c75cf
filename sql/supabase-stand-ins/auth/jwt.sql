-- The claims of the caller's token, as PostgREST and Realtime set them for a transaction. An ended local setting is '', not null.

create function auth.jwt() returns jsonb
language sql stable
return nullif(current_setting('request.jwt.claims', true), '')::jsonb;
alter function auth.jwt() owner to supabase_auth_admin;

comment on function auth.jwt() is 'The claims of the caller''s token; null without one.';
