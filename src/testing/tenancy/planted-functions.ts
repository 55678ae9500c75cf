import type { Planted } from './planted.ts';

const definer = (settings: string, rest = '') => `
  create function intent.planted() returns bigint language sql stable security definer ${settings} return 1;
  comment on function intent.planted() is 'Planted. Definer: to see it caught.'; ${rest}`;

export const plantedFunctions: readonly Planted[] = [
  {
    what: 'a definer function that is not on the list',
    sql: definer('set search_path = pg_catalog, pg_temp'),
    caught: ['intent.planted(): the definer functions are a closed list. Make it `security invoker`, or add it'],
  },
  {
    what: 'a definer function without a search_path',
    sql: definer(''),
    caught: [
      'intent.planted(): a definer function pins its search_path, with pg_temp last. Add',
      'intent.planted(): the definer functions',
    ],
  },
  {
    what: 'a definer function whose search_path leaves pg_temp first',
    sql: definer('set search_path = pg_catalog'),
    caught: [
      'intent.planted(): a definer function pins its search_path, with pg_temp last. Add',
      'intent.planted(): the definer functions',
    ],
  },
  {
    what: 'a definer function with EXECUTE for PUBLIC',
    sql: definer('set search_path = pg_catalog, pg_temp', 'grant execute on function intent.planted() to public'),
    caught: [
      'intent.planted(): a function is executed by those whom a grant names, and never by everybody. Revoke',
      'intent.planted(): the definer',
    ],
  },
  {
    what: 'a definer function without a reason',
    sql: `reset role; comment on function api.switch_tenant(uuid) is 'Chooses the tenant.'`,
    caught: ['api.switch_tenant(uuid): a definer function says in its comment why it is one. Let'],
  },
  {
    what: 'a listed function that has become an invoker',
    sql: 'alter function intent.load_aggregate(uuid, text, text, integer) security invoker',
    caught: ['intent.load_aggregate: what the closed list names is there, and is a definer function. Take'],
  },
  {
    what: 'a second function under a listed name',
    sql: `create function intent.load_aggregate(pretended uuid) returns uuid language sql stable security definer
        set search_path = pg_catalog, pg_temp return pretended;
      comment on function intent.load_aggregate(uuid) is 'Planted. Definer: to see it caught.'`,
    caught: ['intent.load_aggregate: no function shares its name with another one. Give'],
  },
  {
    what: 'a leakproof function',
    sql: 'reset role; alter function intent.uuid_claim(text) leakproof',
    caught: ['intent.uuid_claim(text): no function is leakproof: it would be called with the rows of others. alter function'],
  },
  {
    what: 'an immutable function that tells who asks',
    sql: 'alter function intent.current_tenant_id() immutable',
    caught: ['intent.current_tenant_id(): what tells who asks is not immutable: a cached plan would keep the answer. Declare'],
  },
  {
    what: 'a function that leaves its tenant to the session',
    sql: `create or replace function intent.enter_tenant(tenant_id uuid) returns text language sql volatile
      as $$ select set_config('intent.tenant_id', tenant_id::text, false); $$`,
    caught: [
      'intent.enter_tenant(uuid): no function changes a setting beyond its transaction: the next one of the pooled connection would have it. Call',
    ],
  },
  {
    what: 'a comment for clients that names a private table',
    sql: `reset role; comment on function api.get_command(uuid) is 'Reads what session_tenants has.'`,
    caught: ['api.get_command(uuid), session_tenants: a comment that PostgREST publishes names nothing private. Say'],
  },
  {
    what: 'a comment for clients that names a private function, table or column with or without its schema, or a role',
    sql: `comment on column api.orders.total is 'See intent.events, and claimed_membership of intent_system.'`,
    caught: [
      'api.orders.total, claimed_membership: a comment that PostgREST publishes names nothing private. Say',
      'api.orders.total, intent.events: a comment that PostgREST publishes names nothing private. Say',
      'api.orders.total, intent_system: a comment that PostgREST publishes names nothing private. Say',
    ],
  },
  {
    what: 'a function without a comment',
    sql: 'create function intent.planted() returns bigint language sql stable return 1',
    caught: ['intent.planted(): every table, view, function and role has a comment. comment on'],
  },
];
