import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { parseTap, type TapReport } from './tap.ts';

export interface SqlTestRun extends TapReport {
  /** Why the file ended before its end. */
  readonly error: Error | undefined;
}

/** Runs a file of `sql/tests/` as psql would, and reads its output. Without psql, which is not everywhere. */
export function runSqlTest(databaseUrl: string, path: string): Promise<SqlTestRun> {
  return runStatements(databaseUrl, statementsOf(path));
}

/** What a file has psql execute: `\ir` includes a file, and other lines for psql only shape its output. */
export function statementsOf(path: string): string {
  const command = /^\\(\w+) ?(.*)\n/gm;
  return readFileSync(path, 'utf8').replace(command, (_, name: string, file: string) =>
    name === 'ir' ? statementsOf(join(dirname(path), file)) : '',
  );
}

/** On a connection of their own, which takes an open transaction with it when it ends. */
export async function runStatements(databaseUrl: string, statements: string): Promise<SqlTestRun> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const lines: string[] = [];
    const ended = Promise.withResolvers<Error | undefined>();
    client
      .query(new pg.Query(statements))
      // Row by row: what an error ends has passed on what it found until then.
      .on('row', (row) => lines.push(...Object.values(row as Record<string, unknown>).map(String)))
      .on('error', ended.resolve)
      .on('end', () => ended.resolve(undefined));
    const error = await ended.promise;
    return { ...parseTap(lines.join('\n')), error };
  } finally {
    await client.end();
  }
}
