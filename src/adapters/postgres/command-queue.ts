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
  async function report(functionName: 'mark_dispatched' | 'release_command', command: ClaimedCommand): Promise<boolean> {
    const { tenantId, commandId, fencingToken } = command;
    return translatingErrors(async () => {
      const { rows } = await pool.query<{ done: boolean }>(`select intent.${functionName}($1, $2, $3) as done`, [
        tenantId,
        commandId,
        fencingToken,
      ]);
      return rows[0]?.done ?? false;
    });
  }

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
    markDispatched: (command) => report('mark_dispatched', command),
    release: (command) => report('release_command', command),
  };
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
