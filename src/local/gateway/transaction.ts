import type { Pool, PoolClient } from 'pg';

type Work<Result> = (client: PoolClient) => Promise<Result>;

/** Runs `work` in a transaction: committed when it returns, rolled back when it throws. */
export function inTransaction<Result>(pool: Pool, work: Work<Result>): Promise<Result> {
  return run(pool, work, 'commit');
}

/** Runs `work` in a transaction that is rolled back in any case. */
export function inRolledBackTransaction<Result>(pool: Pool, work: Work<Result>): Promise<Result> {
  return run(pool, work, 'rollback');
}

async function run<Result>(pool: Pool, work: Work<Result>, end: 'commit' | 'rollback'): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query(end);
    return result;
  } catch (error) {
    await client.query('rollback').catch((fault: Error) => (broken = fault));
    throw error;
  } finally {
    client.release(broken);
  }
}
