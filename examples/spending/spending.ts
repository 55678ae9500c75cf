import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { HandleEvent } from '../../src/application/run-subscription.ts';

export async function createTables(pool: Pool): Promise<void> {
  await pool.query(await readFile(join(import.meta.dirname, 'spending.sql'), 'utf8'));
}

/** Keeps what each household spends, by the week, in tables of its own. */
export function keepSpending(pool: Pool): HandleEvent {
  return async (event, { tenantId }) => {
    if (event.type !== 'BudgetSpent') return;
    await pool.query('insert into spending (tenant_id, position, spent_at, cents) values ($1, $2, $3, $4) on conflict do nothing', [
      tenantId,
      event.position,
      event.recordedAt,
      event.payload.amount,
    ]);
  };
}
