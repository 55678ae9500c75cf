import { escapeIdentifier, type ClientBase, type Pool } from 'pg';

/** How many rows each table of the schema intent has. `database`: as superuser, whom no policy binds. */
export async function countRows(database: ClientBase | Pool): Promise<Readonly<Record<string, number>>> {
  const { rows: tables } = await database.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'intent'`,
  );
  const counts = tables
    .map(({ name }) => escapeIdentifier(name))
    .map((table) => `(select count(*)::int from intent.${table}) as ${table}`);
  const { rows } = await database.query<Record<string, number>>(`select ${counts.join(', ')}`);
  return rows[0]!;
}
