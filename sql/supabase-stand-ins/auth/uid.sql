-- Policies name the caller with this.

create function auth.uid() returns uuid
language sql stable
return (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;
alter function auth.uid() owner to supabase_auth_admin;

comment on function auth.uid() is 'The caller''s user id; null without a token.';
