-- Refresh tokens of a session. Each is good for one use and is kept, revoked, so that a second use is recognised.

create table auth.refresh_tokens (
  id bigint generated always as identity primary key,
  token text not null unique,
  parent text,
  session_id uuid not null references auth.sessions (id) on delete cascade,
  revoked boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index refresh_tokens_session_id_idx on auth.refresh_tokens (session_id);
alter table auth.refresh_tokens owner to supabase_auth_admin;
alter table auth.refresh_tokens enable row level security;

comment on table auth.refresh_tokens is 'Stand-in for the table of Supabase Auth: the refresh tokens of a session.';
