import { pino } from 'pino';
import { startSupplier } from '../../examples/supplier/supplier.ts';
import { createSupplierCalls } from '../adapters/http/supplier-calls.ts';
import { createCommandQueue } from '../adapters/postgres/command-queue.ts';
import { createCommandStore } from '../adapters/postgres/command-store.ts';
import { listDedicatedTenants } from '../adapters/postgres/dedicated-tenants.ts';
import { createDoorbell } from '../adapters/postgres/doorbell.ts';
import { createOpenCommands } from '../adapters/postgres/open-commands.ts';
import { createProcessQueue } from '../adapters/postgres/process-queue.ts';
import { createProcessStore } from '../adapters/postgres/process-store.ts';
import { createScheduleStore } from '../adapters/postgres/schedule-store.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { createActivities } from '../adapters/temporal/activities.ts';
import { createTemporalEngine } from '../adapters/temporal/engine.ts';
import { createAdvanceProcess } from '../application/advance-process.ts';
import { createHandleCommand } from '../application/handle-command.ts';
import { createMakeCall } from '../application/make-call.ts';
import { createSnapshotWriter } from '../application/snapshot-writer.ts';
import { pumpCommands } from '../application/pump-commands.ts';
import { reconcileCommands } from '../application/reconcile-commands.ts';
import { createWakeProcesses } from '../application/wake-processes.ts';
import type { ProcessManager } from '../domain/kernel/process.ts';
import { createOrderFulfilment } from '../domain/order-fulfilment/order-fulfilment.ts';
import type { RunningTemporal } from '../local/temporal/start-temporal.ts';
import type { ProcessStore } from '../ports/process-store.ts';
import type { TestDatabase } from './database.ts';
import type { connect } from './tenant.ts';
import { connectToTestTemporal, startTestWorkers } from './temporal.ts';

const log = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
export interface ProcessWorkerOptions {
  readonly temporal: Pick<RunningTemporal, 'address'>;
  readonly db: Pick<ReturnType<typeof connect>, 'worker'>;
  /** (Default: order-fulfilment, whose timers end after a second.) */
  readonly processManager?: ProcessManager;
  /** (Default: of a supplier of their own.) */
  readonly supplierUrl?: string;
}

export interface EngineOptions {
  readonly temporal: Pick<RunningTemporal, 'address'>;
  readonly database: TestDatabase;
  readonly db: ReturnType<typeof connect>;
}

export type PartOfEngine = Awaited<ReturnType<typeof startTestPump>>;

/** Workers in this process that execute commands and process managers. */
export async function startProcessWorkers({ temporal, db, processManager = shortFulfilment, supplierUrl }: ProcessWorkerOptions) {
  const supplier = supplierUrl === undefined ? await startSupplier({ port: 0, stallMs: 1_500 }) : { url: supplierUrl, stop: async () => {} };
  const activities = createTestActivities({ db, processManager, supplierUrl: supplier.url });
  const workers = await startTestWorkers(temporal, {
    activities,
    log,
    listDedicatedTenants: () => listDedicatedTenants(db.worker),
    refreshIntervalMs: 200,
  });
  return {
    supplierUrl: supplier.url,
    async stop() {
      await workers.stop();
      await supplier.stop();
    },
  };
}

export interface TestActivitiesOptions {
  readonly db: Pick<ReturnType<typeof connect>, 'worker'>;
  readonly processManager: ProcessManager;
  readonly supplierUrl: string;
  /** (Default: of that database.) */
  readonly processStore?: ProcessStore;
}

/** What the workers of a test do, on a real database. */
export function createTestActivities({ db, processManager, supplierUrl, processStore = createProcessStore({ pool: db.worker }) }: TestActivitiesOptions) {
  const store = createCommandStore({ pool: db.worker });
  return createActivities({
    handleCommand: createHandleCommand({ store, snapshots: createSnapshotWriter({ store, log }), clock: systemClock }),
    store,
    processStore,
    advanceProcess: createAdvanceProcess({ store: processStore, findProcessManager: () => processManager, log }),
    makeCall: createMakeCall({ store: processStore, outside: createSupplierCalls({ url: supplierUrl, timeoutMs: 5_000 }), log }),
    callAttempts: 3,
    schedules: createScheduleStore({ pool: db.worker }),
    log,
  });
}

const shortFulfilment = createOrderFulfilment({ approvalSeconds: 1, deliverySeconds: 1 });

export interface PumpPatience {
  /** After which a command's execution is asked for. (Default: 500) */
  readonly patienceMs?: number;
  /** After which a process manager is woken again. (Default: 30, longer than a test: what goes on was told, and not found later.) */
  readonly leaseSeconds?: number;
}

/** A pump in this process that starts workflows, and looks often for lost ones. */
export async function startTestPump({ temporal, database, db }: EngineOptions, { patienceMs = 500, leaseSeconds = 30 }: PumpPatience = {}) {
  const { client, connection } = await connectToTestTemporal(temporal, log);
  const engine = createTemporalEngine({ client, sharedQueues: 1, eager: false });
  const doorbell = await createDoorbell({ connectionString: database.urlFor('intent_pump'), pool: db.pump, log });
  const stopping = new AbortController();
  const processQueue = createProcessQueue({ pool: db.pump, pumpName: 'test', leaseSeconds });
  const pumping = Promise.all([
    pumpCommands(
      {
        queue: createCommandQueue({ pool: db.pump, pumpName: 'test' }),
        doorbell,
        dispatcher: engine.dispatcher,
        wakeProcesses: createWakeProcesses({ queue: processQueue, waker: engine.waker, log }),
        clock: systemClock,
        log,
      },
      stopping.signal,
    ),
    reconcileCommands(
      { openCommands: createOpenCommands(db.pump), executions: engine.executions, clock: systemClock, log, intervalMs: 200, patienceMs },
      stopping.signal,
    ),
  ]);
  return {
    client,
    engine,
    async stop() {
      stopping.abort();
      await pumping;
      await doorbell.close();
      await connection.close();
    },
  };
}
