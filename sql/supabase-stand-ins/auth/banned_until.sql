-- Until when a user may not sign in. A column of its own, because stacks from before it have the table. Supabase's own has it.

do $$
begin
  if obj_description('auth.users'::regclass) like 'Stand-in %' then
    alter table auth.users add column banned_until timestamptz;
  end if;
end
$$;
