import { ourFunctions, ourSchemas } from './catalogue.ts';
import type { CensusRule } from './census-rule.ts';

const owners = `('intent_owner'::regrole, 'intent_system'::regrole)`;
const operatorViews = `('intent.backlog', 'intent.blocked_commands', 'intent.dead_letters', 'intent.failed_processes', 'intent.skipped')`;

/** Tables, views and sequences. */
const ourRelations = `(select c.* from pg_class as c
  where c.relnamespace in ${ourSchemas} and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S'))`;

const grantee = `coalesce(nullif(acl.grantee, 0)::regrole::text, 'PUBLIC')`;

/** Who has which privilege on which of our relations, or on a column of it. The owner's own are left out. */
const privileges = `(
  select c.oid::regclass::text as relation, c.relkind, ${grantee} as role, acl.privilege_type as privilege
  from ${ourRelations} as c cross join aclexplode(c.relacl) as acl where acl.grantee <> c.relowner
  union
  select a.attrelid::regclass::text, c.relkind, ${grantee}, acl.privilege_type
  from ${ourRelations} as c join pg_attribute as a on a.attrelid = c.oid cross join aclexplode(a.attacl) as acl
  where acl.grantee <> c.relowner
)`;

export const roleRules: readonly CensusRule[] = [
  {
    rule: 'people may read what policies show them, and do nothing else with tables',
    remedy: 'Revoke the privilege from authenticated; changes go through functions of api',
    violations: `select relation || ', ' || privilege as name from ${privileges} as p
      where role = 'authenticated' and (privilege <> 'SELECT' or relkind not in ('r', 'p', 'v'))`,
  },
  {
    rule: 'nobody else has a privilege on a relation, but the operator on its views',
    remedy: 'Revoke it; what a login needs is a function',
    violations: `select relation || ', ' || privilege || ' of ' || role as name from ${privileges} as p
      where role not in ('authenticated', 'intent_system')
      and not (role = 'intent_operator' and privilege = 'SELECT' and relation in ${operatorViews})`,
  },
  {
    rule: 'a role of ours, or of people, is not above the policies',
    remedy: 'alter role … nosuperuser nobypassrls nocreaterole nocreatedb noreplication',
    violations: `select rolname as name from pg_roles where (rolname ~ '^intent_' or rolname in ('anon', 'authenticated', 'authenticator'))
      and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)`,
  },
  {
    rule: 'an owner of our objects cannot log in',
    remedy: 'alter role … nologin',
    violations: `select rolname as name from pg_roles where rolname in ('intent_owner', 'intent_system') and rolcanlogin`,
  },
  {
    rule: 'a login cannot become an owner of our objects',
    remedy: 'Revoke the membership',
    // The migrating administrator is one.
    violations: `select r.rolname as name from pg_roles as r
      where (r.rolname ~ '^intent_' or r.rolname in ('anon', 'authenticated', 'authenticator', 'service_role'))
      and r.rolname not in ('intent_owner', 'intent_system')
      and (pg_has_role(r.rolname, 'intent_owner', 'member') or pg_has_role(r.rolname, 'intent_system', 'member'))`,
  },
  {
    rule: 'everything belongs to intent_owner or intent_system, which the policies bind',
    remedy: 'Create it after `set local role intent_owner`',
    violations: `select c.oid::regclass::text as name from ${ourRelations} as c where c.relowner not in ${owners}
      union all select p.oid::regprocedure::text from ${ourFunctions} as p where p.proowner not in ${owners}`,
  },
  {
    rule: 'who is not signed in does not enter our schemas, and only owners create in them',
    remedy: 'Revoke the privilege on the schema',
    violations: `select nspname || ', ' || ${grantee} as name
      from pg_namespace as n cross join aclexplode(nspacl) as acl where n.oid in ${ourSchemas}
      and (acl.grantee = 0 or acl.grantee::regrole::text in ('anon', 'service_role')
        or (acl.privilege_type = 'CREATE' and acl.grantee not in ${owners}))`,
  },
  {
    rule: 'an object that is created from now on is for its owner alone',
    remedy: 'alter default privileges … revoke …',
    violations: `select format('new objects of %s, kind %s', owner, kind) as name
      from unnest(array['intent_owner', 'intent_system']::regrole[]) as owner cross join unnest(array['r', 'S', 'f']::"char"[]) as kind
      where exists (
        select from pg_default_acl as d cross join aclexplode(d.defaclacl) as acl
        where d.defaclrole = owner and d.defaclobjtype = kind and acl.grantee <> owner
      ) or (kind = 'f' and not exists (select from pg_default_acl as d where d.defaclrole = owner and d.defaclobjtype = kind))`,
  },
  {
    rule: 'every table, view, function and role has a comment',
    remedy: 'comment on … is …',
    violations: `select c.oid::regclass::text as name from ${ourRelations} as c where obj_description(c.oid, 'pg_class') is null
      union all select p.oid::regprocedure::text from ${ourFunctions} as p where obj_description(p.oid, 'pg_proc') is null
      union all select rolname from pg_roles where rolname ~ '^intent_' and shobj_description(oid, 'pg_authid') is null`,
  },
  {
    rule: 'every column of a table has a comment',
    remedy: 'comment on column … is …',
    violations: `select a.attrelid::regclass || '.' || a.attname as name from ${ourRelations} as c join pg_attribute as a on a.attrelid = c.oid
      where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null`,
  },
  {
    rule: 'a comment that PostgREST publishes names nothing private',
    remedy: 'Say it without the name: each member reads the comments of schema api',
    // Private: what is of schema intent and of no other; a plain word of English only with its schema. And our roles.
    violations: `with published (name, comment) as (
        select p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc') from pg_proc as p where p.pronamespace = 'api'::regnamespace
        union all select c.oid::regclass::text, obj_description(c.oid, 'pg_class') from pg_class as c where c.relnamespace = 'api'::regnamespace
        union all select a.attrelid::regclass || '.' || a.attname, col_description(a.attrelid, a.attnum)
          from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 where c.relnamespace = 'api'::regnamespace
        union all select t.oid::regtype::text, obj_description(t.oid, 'pg_type') from pg_type as t where t.typnamespace = 'api'::regnamespace
        union all select 'api', obj_description('api'::regnamespace, 'pg_namespace')
      ), ours (name, is_private) as (
        select proname::text, pronamespace = 'intent'::regnamespace from ${ourFunctions} as p
        union all select unnest(proargnames), pronamespace = 'intent'::regnamespace from ${ourFunctions} as p
        union all select relname::text, relnamespace = 'intent'::regnamespace from ${ourRelations} as c
        union all select attname::text, relnamespace = 'intent'::regnamespace from ${ourRelations} as c
          join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
        union all select rolname::text, true from pg_roles where rolname ~ '^intent_'
      ), private (name) as (
        select name from ours where name ~ '_' group by name having bool_and(is_private)
      )
      select distinct published.name || ', ' || word[1] as name
      from published cross join regexp_matches(published.comment, '(?:\\mintent\\.)?\\w+', 'g') as word
      where word[1] ~ '^intent\\.' or word[1] in (select name from private)`,
  },
];
