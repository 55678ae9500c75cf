import { createSupplierCalls } from '../adapters/http/supplier-calls.ts';
import { createCommandStore } from '../adapters/postgres/command-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createProcessStore } from '../adapters/postgres/process-store.ts';
import { createScheduleStore } from '../adapters/postgres/schedule-store.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { createAdvanceProcess } from '../application/advance-process.ts';
import { createHandleBatch } from '../application/handle-batch.ts';
import { createHandleCommand } from '../application/handle-command.ts';
import { createMakeCall } from '../application/make-call.ts';
import { createSnapshotWriter } from '../application/snapshot-writer.ts';
import { findProcessManager } from '../domain/processes.ts';
import type { Logger } from '../ports/logger.ts';

/** What executes commands and process managers, on a pool that is connected as `intent_worker`. */
export function createHandler(connectionString: string, log: Logger, supplierUrl?: string) {
  const pool = createPool({ connectionString, applicationName: 'intent-worker', maxConnections: 16, log });
  const store = createCommandStore({ pool });
  const processStore = createProcessStore({ pool });
  const snapshots = createSnapshotWriter({ store, log });
  const deps = { store, snapshots, clock: systemClock };
  return {
    pool,
    store,
    processStore,
    schedules: createScheduleStore({ pool }),
    handleCommand: createHandleCommand(deps),
    handleBatch: createHandleBatch(deps),
    advanceProcess: createAdvanceProcess({ store: processStore, findProcessManager, log }),
    makeCall: createMakeCall({ store: processStore, outside: createSupplierCalls({ url: supplierUrl }), log }),
    async close() {
      await snapshots.drain();
      await pool.end();
    },
  };
}
