import type { Pool } from 'pg';
import { translatingErrors } from './errors.ts';

/** The tenants that have task queues of their own. The pool is connected as `intent_worker`. */
export async function listDedicatedTenants(pool: Pool): Promise<readonly string[]> {
  return translatingErrors(async () => {
    const { rows } = await pool.query<{ tenant_id: string }>('select tenant_id from intent.dedicated_tenants() as tenant_id');
    return rows.map((row) => row.tenant_id);
  });
}
