import type pg from 'pg';
import { ourSchemas } from './catalogue.ts';
import { rolledBack } from './rolled-back.ts';

/** Someone who claims the tenant in its token, and what the membership's row says of it. */
export interface Person {
  readonly userId: string;
  readonly kind: 'owner' | 'member' | 'guest' | 'invited' | 'removed' | 'stranger';
}

/** How many rows of a table or view the tenant has, and how many the person is shown; foreign: those that it must not be. */
export interface Shown {
  readonly relation: string;
  readonly person: Person;
  readonly owned: number;
  readonly shown: number;
  readonly foreign: number;
}

interface Relation {
  readonly name: string;
  readonly hasTenant: boolean;
  readonly owned: number;
}

/** Looks at every table and view that people may read, as each of the people. Changes nothing. */
export async function rowsShownIn(admin: pg.ClientBase, tenantId: string): Promise<Shown[]> {
  return rolledBack(admin, async () => {
    const relations = await readableRelations(admin, tenantId);
    const people = await peopleOf(admin, tenantId);
    const shown: Shown[] = [];
    for (const person of people) shown.push(...(await rowsShownTo(admin, tenantId, person, relations)));
    return shown;
  });
}

/** With what the tenant has in it, or in the table behind a view. */
async function readableRelations(admin: pg.ClientBase, tenantId: string): Promise<Relation[]> {
  const { rows: found } = await admin.query<{ name: string; hasTenant: boolean; table: string }>(`
    select c.oid::regclass::text as name, a.attnum is not null as "hasTenant",
      coalesce((
        select d.refobjid::regclass from pg_rewrite as r join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
        join pg_class as behind on behind.oid = d.refobjid and behind.relkind in ('r', 'p')
        where c.relkind = 'v' and r.ev_class = c.oid limit 1
      ), c.oid::regclass)::text as table
    from pg_class as c
    left join pg_attribute as a on a.attrelid = c.oid and a.attname = 'tenant_id'
    where c.relnamespace in ${ourSchemas} and c.relkind in ('r', 'p', 'v') and has_table_privilege('authenticated', c.oid, 'select')
    order by 1`);
  const relations: Relation[] = [];
  for (const { name, hasTenant, table } of found) {
    const count = `select count(*)::int as owned from ${table} where tenant_id = $1`;
    const { rows } = await admin.query<{ owned: number }>(count, [tenantId]);
    relations.push({ name, hasTenant, owned: rows[0]!.owned });
  }
  return relations;
}

async function peopleOf(admin: pg.ClientBase, tenantId: string): Promise<Person[]> {
  const { rows } = await admin.query<Person>(
    `select user_id as "userId", case status when 'active' then role else status end as kind from intent.memberships where tenant_id = $1
     union all select gen_random_uuid(), 'stranger'`,
    [tenantId],
  );
  return rows;
}

async function rowsShownTo(
  admin: pg.ClientBase,
  tenantId: string,
  person: Person,
  relations: readonly Relation[],
): Promise<Shown[]> {
  const isMember = ['owner', 'member', 'guest'].includes(person.kind);
  const isForeign = (name: string, hasTenant: boolean): string => {
    // Everybody sees its own memberships, of all tenants and however they stand.
    if (name === 'intent.memberships') return `user_id <> '${person.userId}'`;
    if (!isMember) return 'true';
    return hasTenant ? `tenant_id <> '${tenantId}'` : 'false';
  };
  const claims = JSON.stringify({ role: 'authenticated', sub: person.userId, tenant_id: tenantId });
  await admin.query(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`, [claims]);
  const result: Shown[] = [];
  for (const { name, hasTenant, owned } of relations) {
    const { rows } = await admin.query<{ shown: number; foreign: number }>(
      `select count(*)::int as shown, count(*) filter (where ${isForeign(name, hasTenant)})::int as foreign from ${name}`,
    );
    const { shown, foreign } = rows[0]!;
    // A view without the tenant's id: no more than the tenant has.
    result.push({ relation: name, person, owned, shown, foreign: hasTenant ? foreign : Math.max(foreign, shown - owned) });
  }
  await admin.query('reset role');
  return result;
}
