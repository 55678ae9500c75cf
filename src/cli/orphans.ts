import type { Client as DatabaseClient } from 'pg';
import { connectToTemporal } from '../adapters/temporal/connection.ts';
import { type FindUnknown, listOrphans } from '../adapters/temporal/orphans.ts';
import { connectToDatabase } from '../local/connect-to-database.ts';
import { StackError } from '../local/stack-error.ts';
import { requireDatabaseUrl } from './require-database-url.ts';

/**
 * Prints the executions in Temporal (TEMPORAL_ADDRESS …) of commands that the database of DATABASE_URL, an operator's or an
 * administrator's, does not know. Returns the exit code: 1 if there are any. Throws `StackError` for what a person can mend.
 */
export async function orphans(since?: string): Promise<number> {
  const from = since === undefined ? undefined : new Date(since);
  if (from !== undefined && Number.isNaN(from.getTime())) {
    throw new StackError(`"${since}" is not a time.`, 'Write it as in 2026-11-22T10:00:00Z.');
  }
  const database = await connectToDatabase(requireDatabaseUrl());
  try {
    const { client, connection } = await reachTemporal();
    let count = 0;
    for await (const { status, startedAt, workflowId } of listOrphans(client, findUnknownIn(database), from)) {
      console.log(`${startedAt.toISOString()}  ${status.padEnd(10)}  ${workflowId}`);
      count += 1;
    }
    await connection.close();
    console.log(count === 0 ? 'There are none.' : `${count} found. What to do: docs/operations.md, "Restore".`);
    return count === 0 ? 0 : 1;
  } finally {
    await database.end();
  }
}

async function reachTemporal() {
  try {
    return await connectToTemporal();
  } catch (cause) {
    throw new StackError(`Temporal cannot be reached: ${(cause as Error).message}`, 'Set TEMPORAL_ADDRESS; .env.example explains it.', { cause });
  }
}

function findUnknownIn(database: DatabaseClient): FindUnknown {
  return async (commands) => {
    const { rows } = await database.query<{ tenant_id: string; command_id: string }>('select * from intent.unknown_commands($1, $2)', [
      commands.map(({ tenantId }) => tenantId),
      commands.map(({ commandId }) => commandId),
    ]);
    return rows.map((row) => ({ tenantId: row.tenant_id, commandId: row.command_id }));
  };
}
