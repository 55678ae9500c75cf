import type pg from 'pg';
import { ourTables } from './catalogue.ts';

/** How many rows, and a checksum of them, by the table's name. */
export type RowsByTable = Readonly<Record<string, string>>;

/** Every row of every table that is not this tenant's, as an administrator sees them. */
export async function foreignRows(admin: pg.ClientBase, tenantId: string): Promise<RowsByTable> {
  const { rows: tables } = await admin.query<{ name: string }>(
    `select c.oid::regclass::text as name from ${ourTables} as c order by 1`,
  );
  const counts = tables.map(
    ({ name }) => `select '${name}' as name, count(*) || ' rows, ' || coalesce(sum(hashtextextended(t::text, 0)), 0) as rows
      from ${name} as t where to_jsonb(t) ->> 'tenant_id' is distinct from $1`,
  );
  const { rows } = await admin.query<{ name: string; rows: string }>(counts.join(' union all '), [tenantId]);
  return Object.fromEntries(rows.map((row) => [row.name, row.rows]));
}
