import type { Pool } from 'pg';
import type { OpenCommands } from '../../ports/open-commands.ts';
import { translatingErrors } from './errors.ts';

interface OpenRow {
  readonly tenant_id: string;
  readonly command_id: string;
  readonly type: string;
  readonly correlation_id: string;
  readonly traceparent: string | null;
  readonly isolation: 'shared' | 'dedicated';
  readonly fairness_weight: number;
  readonly dispatched_at: Date;
}

/** The pool is connected as `intent_pump`. */
export function createOpenCommands(pool: Pool): OpenCommands {
  return {
    async list(dispatchedBeforeMs, maxCommands) {
      return translatingErrors(async () => {
        const { rows } = await pool.query<OpenRow>('select * from intent.open_commands(make_interval(secs => $1), $2)', [
          dispatchedBeforeMs / 1_000,
          maxCommands,
        ]);
        return rows.map((row) => ({
          tenantId: row.tenant_id,
          commandId: row.command_id,
          type: row.type,
          correlationId: row.correlation_id,
          traceparent: row.traceparent,
          isolation: row.isolation,
          fairnessWeight: row.fairness_weight,
          dispatchedAt: row.dispatched_at,
        }));
      });
    },
  };
}
