import type { Pool } from 'pg';
import type { ProcessQueue } from '../../ports/process-queue.ts';
import { translatingErrors } from './errors.ts';

export interface ProcessQueueDeps {
  /** Connected as `intent_pump`. */
  readonly pool: Pool;
  /** Who claims. */
  readonly pumpName: string;
  /** How long nobody else is told of what is claimed. (Default: 6) */
  readonly leaseSeconds?: number;
}

interface ClaimedRow {
  readonly tenant_id: string;
  readonly process: string;
  readonly key: string;
  readonly isolation: 'shared' | 'dedicated';
  readonly fairness_weight: number;
  readonly correlation_id: string | null;
}

export function createProcessQueue({ pool, pumpName, leaseSeconds = 6 }: ProcessQueueDeps): ProcessQueue {
  return {
    async claim(maxProcesses) {
      return translatingErrors(async () => {
        const { rows } = await pool.query<ClaimedRow>('select * from intent.claim_processes($1, $2, make_interval(secs => $3))', [
          pumpName,
          maxProcesses,
          leaseSeconds,
        ]);
        return rows.map(({ process, key, isolation, ...row }) => ({
          tenantId: row.tenant_id,
          process,
          key,
          isolation,
          fairnessWeight: row.fairness_weight,
          correlationId: row.correlation_id,
        }));
      });
    },

    async release({ tenantId, process, key }) {
      await translatingErrors(() => pool.query('select intent.release_process($1, $2, $3)', [tenantId, process, key]));
    },
  };
}
