import type pg from 'pg';
import type { Claims } from '../../src/testing/tenant.ts';

/** A member of a tenant, who calls functions of `api` in a transaction each, as PostgREST would. */
export interface Member {
  readonly claims: Claims;
  call<Value>(expression: string, values: readonly unknown[]): Promise<Value>;
}

/** `pool`: connected as `authenticator`. */
export function createMember(pool: pg.Pool, claims: Claims): Member {
  return {
    claims,
    async call<Value>(expression: string, values: readonly unknown[]): Promise<Value> {
      const connection = await pool.connect();
      try {
        await connection.query('begin');
        await connection.query(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`, [
          JSON.stringify({ role: 'authenticated', ...claims }),
        ]);
        const { rows } = await connection.query<{ value: Value }>(`select ${expression} as value`, [...values]);
        await connection.query('commit');
        connection.release();
        return rows[0]!.value;
      } catch (error) {
        // Ends the transaction, whatever has become of it.
        connection.release(true);
        throw error;
      }
    },
  };
}
