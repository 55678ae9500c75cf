-- One row a sign-in. Its id is the claim session_id, which the access token hook keeps the chosen tenant by.

create table auth.sessions (
  id uuid primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  aal text not null default 'aal1',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index sessions_user_id_idx on auth.sessions (user_id);
alter table auth.sessions owner to supabase_auth_admin;
alter table auth.sessions enable row level security;

comment on table auth.sessions is 'Stand-in for the table of Supabase Auth: one row a sign-in.';
