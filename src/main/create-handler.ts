import { createCommandStore } from '../adapters/postgres/command-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { createHandleCommand } from '../application/handle-command.ts';
import type { Logger } from '../ports/logger.ts';

/** What executes commands, on a pool that is connected as `intent_worker`. */
export function createHandler(connectionString: string, log: Logger) {
  const pool = createPool({ connectionString, applicationName: 'intent-worker', maxConnections: 16, log });
  const store = createCommandStore({ pool });
  return { pool, store, handleCommand: createHandleCommand({ store, clock: systemClock, log }) };
}
