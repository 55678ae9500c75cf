import type { Pool, QueryResultRow } from 'pg';
import type { AppendResult, CommandStore, LoadedCommand, LoadedRun } from '../../ports/command-store.ts';
import { translatingErrors } from './errors.ts';

export interface CommandStoreDeps {
  /** Connected as `intent_worker`. */
  readonly pool: Pool;
}

export function createCommandStore({ pool }: CommandStoreDeps): CommandStore {
  async function call<Row extends QueryResultRow>(statement: string, values: readonly unknown[]): Promise<Row | undefined> {
    return translatingErrors(async () => (await pool.query<Row>(statement, [...values])).rows[0]);
  }

  return {
    async load({ tenantId, commandId }, stateVersions) {
      const row = await call<{ command: LoadedCommand | null }>('select intent.load_command($1, $2, $3) as command', [
        tenantId,
        commandId,
        stateVersions,
      ]);
      return row?.command ?? null;
    },

    async append({ tenantId, commandId }, { aggregateType, aggregateId }, expectedVersion, events) {
      const row = await call<{ result: AppendResult }>('select intent.append_or_catch_up($1, $2, $3, $4, $5, $6) as result', [
        tenantId,
        aggregateType,
        aggregateId,
        expectedVersion,
        JSON.stringify(events),
        commandId,
      ]);
      if (row === undefined) throw new Error('append_or_catch_up answered without a row.');
      return row.result;
    },

    async reject({ tenantId, commandId }, { code, message, details = {} }) {
      await call('select intent.reject_command($1, $2, $3, $4, $5)', [tenantId, commandId, code, message, JSON.stringify(details)]);
    },

    async fail({ tenantId, commandId }, error) {
      await call('select intent.fail_command($1, $2, $3)', [tenantId, commandId, JSON.stringify(error)]);
    },

    async loadBatch(tenantId, commandIds, maxFollowers, stateVersions) {
      const row = await call<{ runs: LoadedRun[] }>('select intent.load_batch($1, $2, $3, $4) as runs', [
        tenantId,
        commandIds,
        maxFollowers,
        stateVersions,
      ]);
      return row?.runs ?? [];
    },

    async settleBatch(tenantId, runs) {
      const row = await call<{ settled: boolean[] }>('select intent.settle_batch($1, $2) as settled', [tenantId, JSON.stringify(runs)]);
      return row?.settled ?? [];
    },

    async saveSnapshot({ tenantId, aggregateType, aggregateId, version, stateVersion, state }) {
      await call('select intent.save_snapshot($1, $2, $3, $4, $5, $6)', [
        tenantId,
        aggregateType,
        aggregateId,
        version,
        stateVersion,
        JSON.stringify(state),
      ]);
    },
  };
}
