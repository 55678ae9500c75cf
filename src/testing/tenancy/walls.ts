import { escapeIdentifier, type ClientBase, type Pool } from 'pg';

/** The restrictive policies of our tables, which are the outer walls. */
export async function outerWalls(database: ClientBase | Pool): Promise<{ table: string; policy: string }[]> {
  const { rows } = await database.query<{ table: string; policy: string }>(
    `select tablename as table, policyname as policy from pg_policies where schemaname = 'intent' and permissive = 'RESTRICTIVE' order by 1`,
  );
  return rows;
}

/** Takes both walls of a table away, the restrictive policy and that in the permissive one. Returns what builds them again. */
export async function takeWallsDown(database: ClientBase | Pool, table: string): Promise<() => Promise<void>> {
  const on = `on intent.${escapeIdentifier(table)}`;
  const { rows } = await database.query<{ policy: string; seen: string }>(
    `select policyname as policy, qual as seen from pg_policies
     where schemaname = 'intent' and tablename = $1 and permissive = 'PERMISSIVE' and 'authenticated' = any (roles)`,
    [table],
  );
  await database.query(`drop policy tenant_wall ${on}`);
  for (const { policy } of rows) await database.query(`alter policy ${escapeIdentifier(policy)} ${on} using (true)`);
  return async () => {
    await database.query(`create policy tenant_wall ${on} as restrictive to authenticated
      using (tenant_id = (select intent.current_tenant_id())) with check (tenant_id = (select intent.current_tenant_id()))`);
    for (const { policy, seen } of rows) await database.query(`alter policy ${escapeIdentifier(policy)} ${on} using (${seen})`);
  };
}
