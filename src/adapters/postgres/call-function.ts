import type { Pool } from 'pg';
import { StoreUnavailable } from '../../ports/errors.ts';
import { translatingErrors } from './errors.ts';

/**
 * Calls one of our SQL functions (`intent.load_call($1, $2)`) and returns its one value. Throws `StoreUnavailable` also if no
 * row comes: the connection is out of step then, and what was asked may have been done or not.
 */
export async function callFunction<Value>(pool: Pool, call: string, values: readonly unknown[]): Promise<Value> {
  return translatingErrors(async () => {
    const { rows } = await pool.query<{ value: Value }>(`select ${call} as value`, [...values]);
    if (rows[0] === undefined) throw new StoreUnavailable(`PostgreSQL: ${call} was answered without a row.`);
    return rows[0].value;
  });
}
