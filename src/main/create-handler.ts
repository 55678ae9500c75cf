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
import { noteOutdated } from './note-outdated.ts';
import { observeBatchStore, observeHandleBatch } from './telemetry-batches.ts';
import { observeCommandStore, observeHandleCommand } from './telemetry-commands.ts';
import type { Telemetry } from './telemetry-context.ts';
import { observeAdvanceProcess, observeMakeCall, observeProcessStore } from './telemetry-processes.ts';

export interface HandlerOptions {
  readonly supplierUrl?: string | undefined;
  /** Is told what waits for a newer release, or for a schema that fits. */
  readonly noteWaiting?: (why: string) => void;
}

/** What executes commands and process managers, on a pool that is connected as `intent_worker`. */
export function createHandler(connectionString: string, log: Logger, telemetry: Telemetry, { supplierUrl, noteWaiting = () => {} }: HandlerOptions = {}) {
  const pool = createPool({ connectionString, applicationName: 'intent-worker', maxConnections: 16, log });
  telemetry.page.watchPool('worker', pool);
  const store = observeBatchStore(observeCommandStore(createCommandStore({ pool }), telemetry), telemetry);
  const processStore = observeProcessStore(createProcessStore({ pool }), telemetry);
  const outside = createSupplierCalls({ url: supplierUrl });
  const snapshots = createSnapshotWriter({ store, log });
  const deps = { store, snapshots, clock: systemClock };
  const schedules = createScheduleStore({ pool });
  const calls = observeMakeCall(createMakeCall({ store: processStore, outside, log }));
  return {
    pool,
    store,
    processStore,
    schedules: { ...schedules, submit: noteOutdated(schedules.submit, noteWaiting) },
    handleCommand: noteOutdated(observeHandleCommand(createHandleCommand(deps)), noteWaiting),
    handleBatch: noteOutdated(observeHandleBatch(createHandleBatch(deps)), noteWaiting),
    advanceProcess: noteOutdated(observeAdvanceProcess(createAdvanceProcess({ store: processStore, findProcessManager, log })), noteWaiting),
    makeCall: { ...calls, attempt: noteOutdated(calls.attempt, noteWaiting) },
    async close() {
      await snapshots.drain();
      await pool.end();
    },
  };
}
