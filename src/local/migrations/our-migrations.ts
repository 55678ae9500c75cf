import { join } from 'node:path';
import type { Client } from 'pg';
import { projectRoot } from '../paths.ts';
import { StackError } from '../stack-error.ts';
import { readCommitted } from './committed-fixtures.ts';

/**
 * Throws `StackError` if the database was made by migrations that do not begin as those of `sql/committed/` do: nothing leads from
 * there to here.
 */
export async function requireOurMigrations(client: Client): Promise<void> {
  const { rows: found } = await client.query<{ table: string | null }>(`select to_regclass('graphile_migrate.migrations')::text as "table"`);
  if (found[0]!.table === null) return;
  const { rows } = await client.query<{ hash: string }>('select hash from graphile_migrate.migrations where previous_hash is null');
  const [first] = rows;
  if (first === undefined || hashOfFirst() === first.hash) return;
  throw new StackError(
    'This database was made by another line of migrations, and those of this release cannot go on from there. Nothing was changed.',
    'Begin with an empty database: `npm start -- --fresh` here (it deletes the local data), a new database or project elsewhere.',
  );
}

function hashOfFirst(): string | undefined {
  const [first] = readCommitted(join(projectRoot, 'sql'));
  return first && /^--! Hash: (\S+)$/m.exec(first.text)?.[1];
}
