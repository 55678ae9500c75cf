import type { Pool } from 'pg';
import type { ClaimedCommand, CommandQueue } from '../../ports/command-queue.ts';
import { translatingErrors } from './errors.ts';

export interface CommandQueueDeps {
  /** Connected as `intent_pump`. */
  readonly pool: Pool;
  /** Who claims: shown in `commands.claimed_by`. */
  readonly pumpName: string;
  /** How long a claim lasts, unless it is marked or given back. (Default: 6) */
  readonly leaseSeconds?: number;
}

interface ClaimedRow {
  readonly tenant_id: string;
  readonly command_id: string;
  readonly type: string;
  readonly correlation_id: string;
  readonly traceparent: string | null;
  readonly fencing_token: string;
  readonly execution: ClaimedCommand['execution'];
  readonly isolation: 'shared' | 'dedicated';
  readonly fairness_weight: number;
  readonly attempts: number;
  readonly waited_seconds: number;
}

export function createCommandQueue({ pool, pumpName, leaseSeconds = 6 }: CommandQueueDeps): CommandQueue {
  return {
    async claim(maxCommands) {
      return translatingErrors(async () => {
        const { rows } = await pool.query<ClaimedRow>('select * from intent.claim_commands($1, $2, make_interval(secs => $3))', [
          pumpName,
          maxCommands,
          leaseSeconds,
        ]);
        return rows.map(toClaimedCommand);
      });
    },

    async markDispatched(commands) {
      // In one order everywhere, so that two who mark the same do not wait for each other.
      const ordered = commands.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
      const { rows } = await translatingErrors(() =>
        pool.query<{ marked: number }>(
          `select count(*) filter (where intent.mark_dispatched(tenant_id, command_id, fencing_token))::integer as marked
           from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as claimed (tenant_id, command_id, fencing_token)`,
          [ordered.map(({ tenantId }) => tenantId), ordered.map(({ commandId }) => commandId), ordered.map(({ fencingToken }) => fencingToken)],
        ),
      );
      return rows[0]!.marked;
    },

    async release({ tenantId, commandId, fencingToken }) {
      await translatingErrors(() => pool.query('select intent.release_command($1, $2, $3)', [tenantId, commandId, fencingToken]));
    },
  };
}

function keyOf({ tenantId, commandId }: ClaimedCommand): string {
  return tenantId + commandId;
}

function toClaimedCommand(row: ClaimedRow): ClaimedCommand {
  return {
    tenantId: row.tenant_id,
    commandId: row.command_id,
    type: row.type,
    correlationId: row.correlation_id,
    traceparent: row.traceparent,
    fencingToken: row.fencing_token,
    execution: row.execution,
    isolation: row.isolation,
    fairnessWeight: row.fairness_weight,
    attempts: row.attempts,
    waitedSeconds: row.waited_seconds,
  };
}
