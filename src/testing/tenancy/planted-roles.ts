import type { Planted } from './planted.ts';

export const plantedRoles: readonly Planted[] = [
  {
    what: 'a table of the migrating administrator',
    sql: 'reset role; alter table intent.orders owner to current_user',
    caught: ['intent.orders: everything belongs to intent_owner or intent_system, which the policies bind. Create it after'],
  },
  {
    what: 'a sequence that people read',
    sql: `create sequence intent.planted; comment on sequence intent.planted is 'Planted.'; grant select on intent.planted to authenticated`,
    caught: ['intent.planted, SELECT: people may read what policies show them, and do nothing else with tables. Revoke'],
  },
  {
    what: 'a column that people may write',
    sql: 'grant update (status) on intent.orders to authenticated',
    caught: ['intent.orders, UPDATE: people may read what policies show them, and do nothing else with tables. Revoke'],
  },
  {
    what: 'a login with a privilege on a table',
    sql: 'grant select on intent.orders to intent_worker',
    caught: [
      'intent.orders, SELECT of intent_worker: nobody else has a privilege on a relation, but the operator on its views. Revoke',
    ],
  },
  {
    what: 'a table for everybody',
    sql: 'grant select on intent.orders to public',
    caught: ['intent.orders, SELECT of PUBLIC: nobody else has a privilege on a relation, but the operator on its views. Revoke'],
  },
  {
    what: 'a new login with BYPASSRLS',
    sql: `reset role; create role intent_planted login bypassrls; comment on role intent_planted is 'Planted.'`,
    caught: ['intent_planted: a role of ours, or of people, is not above the policies. alter role'],
  },
  {
    what: 'an owner that logs in',
    sql: 'reset role; alter role intent_owner login',
    caught: ['intent_owner: an owner of our objects cannot log in. alter role'],
  },
  {
    what: 'a login that may become the owner',
    sql: `reset role; create role intent_planted login in role intent_owner; comment on role intent_planted is 'Planted.'`,
    caught: ['intent_planted: a login cannot become an owner of our objects. Revoke'],
  },
  {
    what: 'a schema that is open to who is not signed in',
    sql: 'grant usage on schema api to anon',
    caught: ['api, anon: who is not signed in does not enter our schemas, and only owners create in them. Revoke'],
  },
  {
    what: 'privileges on whatever comes next',
    sql: 'alter default privileges for role intent_owner grant select on tables to authenticated',
    caught: ['new objects of intent_owner, kind r: an object that is created from now on is for its owner alone. alter default'],
  },
];
