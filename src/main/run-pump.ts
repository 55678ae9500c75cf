import { createCommandQueue } from '../adapters/postgres/command-queue.ts';
import { createDoorbell } from '../adapters/postgres/doorbell.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { pumpCommands } from '../application/pump-commands.ts';
import type { CommandDispatcher } from '../ports/command-dispatcher.ts';
import type { Logger } from '../ports/logger.ts';
import { processName } from './config.ts';
import { retry } from './retry.ts';

export interface PumpOptions {
  readonly connectionString: string;
  readonly dispatcher: CommandDispatcher;
  readonly log: Logger;
  readonly signal: AbortSignal;
  ready(): void;
}

/** Queue, doorbell and pump on one database, until the signal aborts. */
export async function runPump({ connectionString, dispatcher, log, signal, ready }: PumpOptions): Promise<void> {
  const pool = createPool({ connectionString, applicationName: 'intent-pump', maxConnections: 8, log });
  const doorbell = await retry(() => createDoorbell({ connectionString, pool, log }), { log, signal, waitingFor: 'PostgreSQL' });
  if (doorbell === undefined) return pool.end();
  try {
    ready();
    await pumpCommands({ queue: createCommandQueue({ pool, pumpName: processName }), doorbell, dispatcher, clock: systemClock, log }, signal);
  } finally {
    await doorbell.close();
    await pool.end();
  }
}
