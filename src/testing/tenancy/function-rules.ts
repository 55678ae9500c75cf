import { ourFunctions } from './catalogue.ts';
import type { CensusRule } from './census-rule.ts';
import { definerFunctions } from './definer-functions.ts';

const definers = Object.entries(definerFunctions).flatMap(([owner, names]) => names.map((name) => `('${owner}', '${name}')`));

/** With its arguments: a name that is listed must not cover a second function. */
const signature = 'p.oid::regprocedure::text';
const name = `p.pronamespace::regnamespace || '.' || p.proname`;

export const functionRules: readonly CensusRule[] = [
  {
    rule: 'a function is executed by those whom a grant names, and never by everybody',
    remedy: 'Revoke EXECUTE from PUBLIC, anon and service_role; grant it to the one role that calls it',
    violations: `select ${signature} as name from ${ourFunctions} as p
      cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
      where acl.grantee = 0 or acl.grantee::regrole::text in ('anon', 'service_role')`,
  },
  {
    rule: 'a definer function pins its search_path, with pg_temp last',
    remedy: 'Add `set search_path = pg_catalog, pg_temp`',
    violations: `select ${signature} as name from ${ourFunctions} as p
      where p.prosecdef and not coalesce(p.proconfig && array['search_path=pg_catalog, pg_temp'], false)`,
  },
  {
    rule: 'the definer functions are a closed list',
    remedy: 'Make it `security invoker`, or add it to definer-functions.ts under its owner',
    violations: `select ${signature} as name from ${ourFunctions} as p
      where p.prosecdef and (pg_get_userbyid(p.proowner), ${name}) not in (values ${definers.join(', ')})`,
  },
  {
    rule: 'what the closed list names is there, and is a definer function',
    remedy: 'Take it off the list in definer-functions.ts',
    violations: `select listed.name from (values ${definers.join(', ')}) as listed (owner, name)
      where not exists (select from ${ourFunctions} as p where p.prosecdef and ${name} = listed.name)`,
  },
  {
    rule: 'no function shares its name with another one',
    remedy: 'Give it a name of its own: lists and grants are by name',
    violations: `select ${name} as name from ${ourFunctions} as p group by 1 having count(*) > 1`,
  },
  {
    rule: 'a definer function says in its comment why it is one',
    remedy: 'Let the comment end with `Definer: …`',
    violations: `select ${signature} as name from ${ourFunctions} as p
      where p.prosecdef and coalesce(obj_description(p.oid, 'pg_proc'), '') !~ 'Definer: '`,
  },
  {
    rule: 'no function is leakproof: it would be called with the rows of others',
    remedy: 'alter function … not leakproof',
    violations: `select ${signature} as name from ${ourFunctions} as p where p.proleakproof`,
  },
  {
    rule: 'what tells who asks is not immutable: a cached plan would keep the answer',
    remedy: 'Declare it `stable`',
    violations: `select ${signature} as name from ${ourFunctions} as p
      where p.provolatile = 'i' and p.prosrc ~ 'current_setting|current_tenant|current_user|current_role|entered_tenant|claim'`,
  },
  {
    rule: 'no function changes a setting beyond its transaction: the next one of the pooled connection would have it',
    remedy: 'Call set_config with `true`',
    violations: `select ${signature} as name from ${ourFunctions} as p
      where p.prosrc ~* 'set_config\\([^;]*,\\s*false\\s*\\)|\\mset\\s+session\\M'`,
  },
];
