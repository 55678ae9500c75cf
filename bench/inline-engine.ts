import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createInlineDispatcher } from '../src/adapters/inline/dispatcher.ts';
import { createCommandQueue } from '../src/adapters/postgres/command-queue.ts';
import { createDoorbell } from '../src/adapters/postgres/doorbell.ts';
import { createPool } from '../src/adapters/postgres/pool.ts';
import { systemClock } from '../src/adapters/system/clock.ts';
import { pumpCommands } from '../src/application/pump-commands.ts';
import { createHandler } from '../src/main/create-handler.ts';
import { createTelemetry } from '../src/main/telemetry-context.ts';
import type { BenchDatabase } from './database.ts';

const log = pino({ level: 'warn' });
const longestSilenceMs = 20_000;

export interface RunningEngine {
  /** Resolves when so many commands have ended since the start. Throws where nothing ends for a while. */
  untilEnded(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Worker, pump and doorbell as they run in one process with `INTENT_ENGINE=inline`. */
export async function startInlineEngine(database: BenchDatabase): Promise<RunningEngine> {
  const telemetry = await createTelemetry('bench', { OTEL_TRACES_SAMPLER_ARG: 1 });
  const handler = createHandler(database.urlFor('intent_worker'), log, telemetry);
  const connectionString = database.urlFor('intent_pump');
  const pool = createPool({ connectionString, applicationName: 'bench', maxConnections: 8, log });
  const doorbell = await createDoorbell({ connectionString, pool, log });
  const stopping = new AbortController();
  let ended = 0;
  const handleBatch: typeof handler.handleBatch = async (...batch) => {
    const handled = await handler.handleBatch(...batch);
    ended += handled.settled.size;
    return handled;
  };
  const pumping = pumpCommands({
    queue: createCommandQueue({ pool, pumpName: 'bench' }),
    doorbell,
    dispatcher: createInlineDispatcher({ ...handler, handleBatch, log }),
    wakeProcesses: async () => 0,
    clock: systemClock,
    log,
  }, stopping.signal);
  return {
    async untilEnded(count) {
      for (let last = -1, lastAt = 0; ended < count; await sleep(1)) {
        if (ended !== last) lastAt = performance.now();
        else if (performance.now() - lastAt > longestSilenceMs) throw new Error(`The engine has stopped at ${ended} of ${count} commands.`);
        last = ended;
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
