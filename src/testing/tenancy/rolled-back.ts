import type pg from 'pg';

/** Runs something in a transaction that leaves nothing behind. */
export async function rolledBack<Result>(client: pg.ClientBase, what: () => Promise<Result>): Promise<Result> {
  await client.query('begin');
  try {
    return await what();
  } finally {
    await client.query('rollback');
  }
}
