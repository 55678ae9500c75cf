import type { Pool } from 'pg';
import type { AppendResult, CommandStore, LoadedCommand, LoadedRun, Stream } from '../../ports/command-store.ts';
import { callFunction } from './call-function.ts';

/** Events in one answer, which is read at one go: bytes bound it as well (see load_events.sql). */
const pageSize = 1_000;

export interface CommandStoreDeps {
  /** Connected as `intent_worker`. */
  readonly pool: Pool;
}

export function createCommandStore({ pool }: CommandStoreDeps): CommandStore {
  const call = <Value>(statement: string, values: readonly unknown[]) => callFunction<Value>(pool, statement, values);

  return {
    load: ({ tenantId, commandId }, stateVersions) =>
      call<LoadedCommand | null>('intent.load_command($1, $2, $3, $4)', [tenantId, commandId, stateVersions, pageSize]),

    loadEvents: ({ tenantId, aggregateType, aggregateId }, afterVersion) =>
      call<Omit<Stream, 'snapshot'>>('intent.load_events($1, $2, $3, $4, $5)', [tenantId, aggregateType, aggregateId, afterVersion, pageSize]),

    append: ({ tenantId, commandId }, { aggregateType, aggregateId }, expectedVersion, events) =>
      call<AppendResult>('intent.append_or_catch_up($1, $2, $3, $4, $5, $6, $7)', [
        tenantId,
        aggregateType,
        aggregateId,
        expectedVersion,
        JSON.stringify(events),
        commandId,
        pageSize,
      ]),

    async reject({ tenantId, commandId }, { code, message, details = {} }) {
      await call('intent.reject_command($1, $2, $3, $4, $5)', [tenantId, commandId, code, message, JSON.stringify(details)]);
    },

    async fail({ tenantId, commandId }, error) {
      await call('intent.fail_command($1, $2, $3)', [tenantId, commandId, JSON.stringify(error)]);
    },

    loadBatch: (tenantId, commandIds, maxFollowers, stateVersions) =>
      call<LoadedRun[]>('intent.load_batch($1, $2, $3, $4)', [tenantId, commandIds, maxFollowers, stateVersions]),

    settleBatch: (tenantId, runs) => call<boolean[]>('intent.settle_batch($1, $2)', [tenantId, JSON.stringify(runs)]),

    async saveSnapshot({ tenantId, aggregateType, aggregateId, version, stateVersion, state }) {
      await call('intent.save_snapshot($1, $2, $3, $4, $5, $6)', [
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
