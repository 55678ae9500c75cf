import { EventEmitter, once } from 'node:events';
import { pino } from 'pino';
import { createInlineDispatcher, inlineBatches } from '../src/adapters/inline/dispatcher.ts';
import { createCommandQueue } from '../src/adapters/postgres/command-queue.ts';
import { createCommandStore } from '../src/adapters/postgres/command-store.ts';
import { createDoorbell } from '../src/adapters/postgres/doorbell.ts';
import { createPool } from '../src/adapters/postgres/pool.ts';
import { systemClock } from '../src/adapters/system/clock.ts';
import { createHandleBatch } from '../src/application/handle-batch.ts';
import { createHandleCommand } from '../src/application/handle-command.ts';
import { pumpCommands } from '../src/application/pump-commands.ts';
import { createSnapshotWriter } from '../src/application/snapshot-writer.ts';
import { createHandler } from '../src/main/create-handler.ts';
import { createTelemetry, type Telemetry } from '../src/main/telemetry-context.ts';
import { observeDispatcher, observeDoorbell, observeQueue } from '../src/main/telemetry-pump.ts';
import type { BenchDatabase } from './database.ts';

const log = pino({ level: 'warn' });
const longestSilenceMs = 20_000;

export interface RunningEngine {
  /** Resolves when so many commands have ended since the start. Throws if nothing ends for a while. */
  untilEnded(count: number): Promise<void>;
  stop(): Promise<void>;
}

const withoutTracing = await createTelemetry('bench', { OTEL_TRACES_SAMPLER_ARG: 1 });

/**
 * Worker, pump and doorbell as they run in one process with `INTENT_ENGINE=inline`. Without telemetry nothing is counted, timed or
 * traced; production always counts and times.
 */
export async function startInlineEngine(database: BenchDatabase, telemetry: Telemetry | null = withoutTracing): Promise<RunningEngine> {
  const workerUrl = database.urlFor('intent_worker');
  const handler = telemetry === null ? createUnobservedHandler(workerUrl) : createHandler(workerUrl, log, telemetry);
  const connectionString = database.urlFor('intent_pump');
  const pool = createPool({ connectionString, applicationName: 'bench', maxConnections: 8, log });
  const doorbell = await createDoorbell({ connectionString, pool, log });
  const stopping = new AbortController();
  const endings = new EventEmitter();
  let ended = 0;
  const handleBatch: typeof handler.handleBatch = async (...batch) => {
    const handled = await handler.handleBatch(...batch);
    ended += handled.settled.size;
    endings.emit('more');
    return handled;
  };
  const dispatcher = createInlineDispatcher({ ...handler, handleBatch, log });
  const queue = createCommandQueue({ pool, pumpName: 'bench' });
  const pumping = pumpCommands({
    queue: telemetry === null ? queue : observeQueue(queue, telemetry),
    doorbell: telemetry === null ? doorbell : observeDoorbell(doorbell, telemetry),
    dispatcher: telemetry === null ? dispatcher : observeDispatcher(dispatcher, telemetry),
    wakeProcesses: async () => 0,
    ...inlineBatches,
    clock: systemClock,
    log,
  }, stopping.signal);
  return {
    async untilEnded(count) {
      try {
        while (ended < count) await once(endings, 'more', { signal: AbortSignal.timeout(longestSilenceMs) });
      } catch (error) {
        throw new Error(`The engine has stopped at ${ended} of ${count} commands.`, { cause: error });
      }
    },
    async stop() {
      stopping.abort();
      await pumping;
      await doorbell.close();
      await pool.end();
      await handler.close();
    },
  };
}

/** As `createHandler` has it, without all that looks on. */
function createUnobservedHandler(connectionString: string) {
  const pool = createPool({ connectionString, applicationName: 'bench', maxConnections: 16, log });
  const store = createCommandStore({ pool });
  const snapshots = createSnapshotWriter({ store, log });
  const deps = { store, snapshots, clock: systemClock };
  return {
    store,
    handleCommand: createHandleCommand(deps),
    handleBatch: createHandleBatch(deps),
    async close() {
      await snapshots.drain();
      await pool.end();
    },
  };
}
