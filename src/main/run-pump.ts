import { createCommandQueue } from '../adapters/postgres/command-queue.ts';
import { createDoorbell } from '../adapters/postgres/doorbell.ts';
import { createHintFault } from '../adapters/postgres/hint-fault.ts';
import { createHintAnnouncer } from '../adapters/postgres/hint-announcer.ts';
import { createOpenCommands } from '../adapters/postgres/open-commands.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createProcessQueue } from '../adapters/postgres/process-queue.ts';
import { createReadQueueFigures } from '../adapters/postgres/queue-figures.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { announceHints } from '../application/announce-hints.ts';
import { type PumpDeps, pumpCommands } from '../application/pump-commands.ts';
import { reconcileCommands } from '../application/reconcile-commands.ts';
import { createReportWaitingProcesses, createWakeProcesses } from '../application/wake-processes.ts';
import type { CommandDispatcher } from '../ports/command-dispatcher.ts';
import type { Logger } from '../ports/logger.ts';
import type { CommandExecutions } from '../ports/open-commands.ts';
import type { ProcessWaker } from '../ports/process-waker.ts';
import { processName } from './config.ts';
import { createDatabaseProbe } from './database-probe.ts';
import { describeDatabase } from './database-url.ts';
import { Lack, type Readiness } from './readiness.ts';
import { retry } from './retry.ts';
import type { Telemetry } from './telemetry-context.ts';
import { observeDispatcher, observeDoorbell, observeHints, observeOpenCommands, observeQueue } from './telemetry-pump.ts';

export interface PumpOptions {
  readonly connectionString: string;
  readonly dispatcher: CommandDispatcher;
  /** If there is none, process managers wait and the log says so. */
  readonly waker?: ProcessWaker;
  /** If the engine can lose an execution: it is asked for those that take long. */
  readonly executions?: CommandExecutions;
  /** How the engine likes its commands. (Default: the pump's) */
  readonly batches?: Pick<PumpDeps, 'batchSize' | 'gather'>;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
  readonly need: Readiness['need'];
  readonly ask: Readiness['ask'];
  ready(): void;
}

/** Queue, doorbell and pump on one database, until the signal aborts. */
export async function runPump(options: PumpOptions): Promise<void> {
  const { connectionString, waker, executions, log, telemetry, signal, need, ask, ready } = options;
  const pool = createPool({ connectionString, applicationName: 'intent-pump', maxConnections: 8, log });
  need('PostgreSQL for the pump', createDatabaseProbe(pool, 'intent_pump'));
  ask('hints', createHintFault(pool));
  telemetry.page.watchPool('pump', pool);
  telemetry.page.watchQueue(createReadQueueFigures(pool));
  const waitingFor = `PostgreSQL, as ${describeDatabase(connectionString)}`;
  const doorbell = await retry(() => createDoorbell({ connectionString, pool, log }), { log, signal, waitingFor });
  if (doorbell === undefined) return pool.end();
  need('the doorbell', async () => {
    const deafness = doorbell.deafness();
    if (deafness !== undefined) throw new Lack(deafness);
    if (!doorbell.isListening()) throw new Error('It reconnects.');
  });
  const queue = observeQueue(createCommandQueue({ pool, pumpName: processName }), telemetry);
  const dispatcher = observeDispatcher(options.dispatcher, telemetry);
  const openCommands = observeOpenCommands(createOpenCommands(pool), telemetry);
  const announcer = observeHints(createHintAnnouncer(pool), telemetry);
  const processes = { queue: createProcessQueue({ pool, pumpName: processName }), clock: systemClock, log };
  const wakeProcesses = waker ? createWakeProcesses({ ...processes, waker }) : createReportWaitingProcesses(processes);
  try {
    ready();
    await Promise.all([
      pumpCommands({
        queue,
        doorbell: observeDoorbell(doorbell, telemetry),
        dispatcher,
        wakeProcesses,
        clock: systemClock,
        log,
        ...options.batches,
      }, signal),
      announceHints({ announcer, clock: systemClock, log }, signal),
      executions && reconcileCommands({ openCommands, executions, clock: systemClock, log }, signal),
    ]);
  } finally {
    await doorbell.close();
    await pool.end();
  }
}
