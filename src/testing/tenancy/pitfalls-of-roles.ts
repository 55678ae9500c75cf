import { claimsIn, rose, thorn } from './households.ts';
import type { Pitfall } from './pitfall.ts';
import { without } from './pitfall.ts';

// Who may do what: roles, privileges, and functions that run with the rights of their owner.

const dave = { claims: claimsIn(thorn, thorn.owner) };
const logins = ['intent_pump', 'intent_worker', 'intent_operator'] as const;
const eventsOfRose = `select from intent.events where tenant_id = '${rose.tenantId}'`;

export const pitfallsOfRoles: readonly Pitfall[] = [
  {
    number: 1,
    name: 'FORCE missing',
    attempt: [['intent_owner', eventsOfRose]],
    guarded: '0 rows',
    unguard: 'alter table intent.events no force row level security',
    unguarded: '2 rows',
  },
  {
    number: 2,
    name: 'a login role that is a superuser',
    attempt: [['intent_worker', eventsOfRose]],
    guarded: '42501',
    unguard: 'alter role intent_worker superuser',
    unguarded: '2 rows',
  },
  {
    number: 2,
    name: 'a login role with BYPASSRLS, should it ever get a privilege',
    given: 'grant select on intent.events to intent_worker',
    attempt: [['intent_worker', eventsOfRose]],
    guarded: '0 rows',
    unguard: 'alter role intent_worker bypassrls',
    unguarded: '2 rows',
  },
  {
    number: 2,
    name: 'a role of the platform with BYPASSRLS',
    attempt: [['service_role', eventsOfRose]],
    guarded: '42501',
    unguard: 'grant usage on schema intent to service_role; grant select on intent.events to service_role',
    unguarded: '2 rows',
  },
  {
    number: 3,
    name: 'TRUNCATE ignores row-level security',
    attempt: [[dave, 'truncate intent.orders']],
    guarded: '42501',
    unguard: 'grant truncate on intent.orders to authenticated',
    unguarded: '0 rows, changed intent.orders',
  },
  {
    number: 3,
    name: 'TRUNCATE of the log, also by who has granted it to itself',
    given: 'grant truncate on intent.events to intent_owner',
    attempt: [['intent_owner', 'truncate intent.events']],
    guarded: 'IN405',
    unguard: 'alter table intent.events disable trigger never_emptied',
    unguarded: '0 rows, changed intent.events',
  },
  ...logins.map((login) => ({
    number: 10,
    name: `raw SQL can set the setting: ${login} has functions only`,
    attempt: [
      [login, `select set_config('intent.tenant_id', '${rose.tenantId}', false)`],
      [login, eventsOfRose],
    ] as const,
    guarded: '42501',
    unguard: `grant select on intent.events to ${login}; grant execute on function intent.entered_tenant_id() to ${login};
      alter policy owner_in_tenant on intent.events to ${login}`,
    unguarded: '2 rows',
  })),
  {
    number: 10,
    name: 'raw SQL can set the setting: walls for people do not heed it',
    attempt: [[dave, `select set_config('intent.tenant_id', '${rose.tenantId}', true)`], [dave, eventsOfRose]],
    guarded: '0 rows',
    unguard: `grant execute on function intent.entered_tenant_id() to authenticated;
      alter policy tenant_wall on intent.events using (tenant_id = intent.entered_tenant_id());
      alter policy members_read on intent.events using (true)`,
    unguarded: '2 rows',
  },
  ...logins.flatMap((login) =>
    (['intent_owner', 'intent_system', 'authenticated'] as const).map((upward) => ({
      number: 11,
      name: `SET ROLE upward: from ${login} to ${upward}`,
      attempt: [[login, `set role ${upward}`] as const],
      guarded: '42501',
      unguard: `grant ${upward} to ${login}`,
      unguarded: '0 rows',
    })),
  ),
  {
    number: 15,
    name: 'SECURITY DEFINER without a pinned search_path',
    given: `create schema evil;
      grant usage on schema evil to public;
      create function evil.current_setting(name text, missing_ok boolean) returns text language sql
        return '${JSON.stringify(claimsIn(rose, rose.owner))}'`,
    attempt: [[dave, 'set local search_path = evil, pg_catalog'], [dave, eventsOfRose]],
    guarded: '0 rows',
    unguard: `alter function intent.current_tenant_id() reset search_path;
      alter function intent.claimed_membership() reset search_path;
      alter function intent.uuid_claim(text) reset search_path`,
    unguarded: '2 rows',
  },
  {
    number: 15,
    name: 'SECURITY DEFINER with pg_temp first: whoever asks puts a type of its own before ours, and code into its check',
    attempt: [
      [dave, `create function pg_temp.ran_by(value pg_catalog.uuid) returns boolean language plpgsql as
        $$ begin perform pg_catalog.set_config('tests.ran_by', current_user, true); return true; end $$`],
      [dave, 'create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.ran_by(value))'],
      [dave, 'select intent.current_tenant_id()'],
      [dave, `select where current_setting('tests.ran_by', true) = 'intent_system'`],
    ],
    guarded: '0 rows',
    unguard: `alter function intent.claimed_membership() set search_path = pg_catalog;
      alter function intent.uuid_claim(text) set search_path = pg_catalog`,
    unguarded: '1 rows',
  },
  {
    number: 16,
    name: "PUBLIC's EXECUTE on new functions",
    attempt: [
      ['intent_owner', `create function intent.everything() returns bigint language sql security definer
        return (select count(*) from intent.events)`],
      [dave, 'select intent.everything()'],
    ],
    guarded: '42501',
    unguard: 'alter default privileges for role intent_owner grant execute on functions to public',
    unguarded: '1 rows',
  },
  {
    number: 28,
    name: 'row_security = off is refused and no way around, to people',
    attempt: [[dave, 'set local row_security = off'], [dave, eventsOfRose]],
    guarded: '42501',
    unguard: 'alter table intent.events disable row level security',
    unguarded: '2 rows',
  },
  {
    number: 28,
    name: 'row_security = off is refused and no way around, to the owner of the table',
    attempt: [['intent_owner', 'set local row_security = off'], ['intent_owner', eventsOfRose]],
    guarded: '42501',
    unguard: 'alter table intent.events no force row level security',
    unguarded: '2 rows',
  },
  {
    number: 32,
    name: 'the list of definer functions is closed: one more would be all that it takes (the census sees it)',
    attempt: [[dave, `select from intent.events_of('${rose.tenantId}')`]],
    guarded: '42883',
    unguard: `create function intent.events_of(tenant uuid) returns setof intent.events language sql security definer
        begin atomic select e.* from intent.events as e where e.tenant_id = tenant; end;
      alter function intent.events_of(uuid) owner to intent_system;
      grant execute on function intent.events_of(uuid) to authenticated`,
    unguarded: '2 rows',
  },
  {
    number: 32,
    name: 'a definer function asks for the membership itself',
    attempt: [[{ claims: claimsIn(rose, thorn.owner) }, `select from jsonb_array_elements(api.members())`]],
    guarded: '0 rows',
    unguard: without('api.members()', 'm.tenant_id = intent.current_tenant_id()', `m.tenant_id = intent.uuid_claim('tenant_id')`),
    unguarded: '2 rows',
  },
];
