-- The roles that every Supabase database has. Our grants, policies and the local gateway name them. Roles belong to the whole
-- cluster, and two databases may be prepared at once: who comes second finds the role, or loses the race to create it, and leaves
-- it as it is. No role gets a password here.

do $$
declare
  missing record;
begin
  for missing in
    select name, attributes, memberships
    from (values
      (1, 'anon', 'nologin noinherit', null),
      (2, 'authenticated', 'nologin noinherit', null),
      (3, 'service_role', 'nologin noinherit bypassrls', null),
      -- PostgREST logs in as this one and takes on the role of the token.
      (4, 'authenticator', 'login noinherit', 'anon, authenticated, service_role'),
      (5, 'supabase_auth_admin', 'login noinherit', null),
      -- Supabase's Realtime reads the WAL as an administrator. The local gateway does it as this role, and probes a channel as
      -- the user.
      (6, 'supabase_realtime_admin', 'login noinherit replication', 'anon, authenticated, service_role')
    ) as platform (place, name, attributes, memberships)
    where to_regrole(name) is null
    order by place
  loop
    begin
      execute format('create role %I %s', missing.name, missing.attributes);
      if missing.memberships is not null then
        execute format('grant %s to %I', missing.memberships, missing.name);
      end if;
    exception when duplicate_object or unique_violation then
      null;
    end;
  end loop;
end
$$;
