-- Invitations, roles, removals: who may, what is recorded, and that an owner is always left.
begin;
\ir support/tap.sql
\ir support/households.sql
select plan(38);

create function tests.eve() returns uuid immutable language sql as $$ select 'b0000000-0000-7000-8000-000000000009'::uuid; $$;
create function tests.status_of(user_id uuid) returns text language sql as $$
  select m.status || ' ' || m.role from intent.memberships as m where m.tenant_id = rose() and m.user_id = status_of.user_id;
$$;
create function tests.told_of(user_id uuid) returns bigint security definer language sql as $$
  select count(*) from realtime.messages as m where m.event = 'removed' and m.payload ->> 'userId' = told_of.user_id::text;
$$;

-- Inviting.
select sign_in(bob(), rose());
select throws_ok($$select api.invite_member(eve(), 'guest')$$, 'IN403', 'only an owner of the tenant may do this', 'a member does not invite');
select sign_in(dave(), rose());
select throws_ok($$select api.invite_member(eve(), 'guest')$$, 'IN403', 'only an owner of the tenant may do this', 'an owner of another tenant does not either');
select sign_in(alice(), rose());
select throws_ok($$select api.invite_member(eve(), 'system')$$, 'IN422', null, 'nobody is invited as the system');
select throws_ok($$select api.invite_member(null, 'guest')$$, 'IN422', null, 'nor a user without an id');
select throws_ok($$select api.invite_member(eve(), 'guest', '0')$$, 'IN422', null, 'an invitation lasts a minute at least');
select throws_ok($$select api.invite_member(eve(), 'guest', '31 days')$$, 'IN422', null, 'and thirty days at most');
select throws_ok($$select api.invite_member(bob(), 'owner')$$, 'IN422', 'this user is a member already', 'a member is not invited');
select is(api.invite_member(eve(), 'guest') - 'expiresAt', jsonb_build_object('userId', eve(), 'role', 'guest'), 'an owner invites');
select is(api.invite_member(eve(), 'member') ->> 'role', 'member', 'and renews the invitation, with another role');

-- Accepting.
select sign_in(eve(), rose());
select is(intent.current_tenant_id(), null, 'who is invited has no tenant yet');
select is(api.my_invitations() -> 0 ->> 'name', 'Rose of the tests', 'it sees its invitation');
select is_empty($$select from intent.events$$, 'and nothing of the tenant');
select sign_in(carol(), rose());
select throws_ok($$select api.accept_invitation(rose())$$, 'IN403', null, 'nobody accepts what was not offered');
select sign_in(eve(), null);
select throws_ok($$select api.accept_invitation(thorn())$$, 'IN403', 'there is no open invitation to this tenant', 'nor of another tenant');
select throws_ok($$select api.accept_invitation(gen_random_uuid())$$, 'IN403', 'there is no open invitation to this tenant', 'a tenant that is not there gets the same answer');
select is(api.accept_invitation(rose()), jsonb_build_object('tenantId', rose(), 'name', 'Rose of the tests', 'role', 'member'), 'the invited user accepts');
select throws_ok($$select api.accept_invitation(rose())$$, 'IN403', null, 'once');
select sign_in(eve(), rose());
select is(intent.current_role_in_tenant(), 'member', 'and is a member in the role that was offered');
select is(jsonb_array_length(api.members()), 4, 'members see each other');

-- Expired.
reset role;
insert into intent.memberships (tenant_id, user_id, role, status, invited_by, expires_at)
values (thorn(), eve(), 'owner', 'invited', dave(), clock_timestamp() - interval '1 second');
select sign_in(eve(), rose());
select throws_ok($$select api.accept_invitation(thorn())$$, 'IN403', null, 'an invitation that has expired is none');
select is(api.my_invitations(), '[]', 'and is not shown');

-- Roles.
select throws_ok($$select api.change_role(eve(), 'owner')$$, 'IN403', null, 'a member does not promote itself');
select sign_in(alice(), rose());
select throws_ok($$select api.change_role(alice(), 'guest')$$, 'IN422', 'a tenant keeps at least one owner', 'the last owner keeps its role');
select throws_ok($$select api.remove_member(alice())$$, 'IN422', 'a tenant keeps at least one owner', 'and its membership');
select throws_ok($$select api.change_role(dave(), 'guest')$$, 'IN422', 'this user is no member of the tenant', 'another tenant''s member has no role here');
select lives_ok($$select api.change_role(eve(), 'owner')$$, 'an owner makes another one');
select lives_ok($$select api.change_role(alice(), 'guest')$$, 'and may then step down');
select throws_ok($$select api.change_role(eve(), 'guest')$$, 'IN403', null, 'which counts at once');

-- Leaving.
select lives_ok($$select api.remove_member(alice())$$, 'everybody may leave');
select is(intent.current_tenant_id(), null, 'and sees nothing from then on');
select sign_in(eve(), rose());
select lives_ok($$select api.remove_member(bob())$$, 'an owner removes a member');
select throws_ok($$select api.remove_member(bob())$$, 'IN422', null, 'once');
select results_eq($$select told_of(alice()), told_of(bob())$$, $$values (1::bigint, 1::bigint)$$, 'whose clients are told');
select results_eq(
  $$select action, subject_user_id, actor_user_id from api.membership_log where actor_user_id is not null order by at$$,
  $$values ('invited', eve(), alice()), ('invited', eve(), alice()), ('joined', eve(), eve()), ('role_changed', eve(), alice()),
    ('role_changed', alice(), alice()), ('removed', alice(), alice()), ('removed', bob(), eve())$$,
  'an owner reads who did what');
select sign_in(carol(), rose());
select is_empty($$select from api.membership_log$$, 'nobody else does');
select sign_in(eve(), rose());
select api.invite_member(dave(), 'guest');
select api.remove_member(dave());
select is(told_of(dave()), 0::bigint, 'an invitation that is withdrawn is told to nobody: guests do not see who is invited');

-- By force.
reset role;
select throws_ok($$delete from intent.memberships where tenant_id = rose() and user_id = eve()$$, 'IN422', null, 'also an administrator leaves an owner');
select throws_ok($$update intent.membership_log set action = 'joined'$$, 'IN405', null, 'the record is not rewritten');

select * from finish();
rollback;
