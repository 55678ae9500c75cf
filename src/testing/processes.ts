import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { createCommandQueue } from '../adapters/postgres/command-queue.ts';
import { createCommandStore } from '../adapters/postgres/command-store.ts';
import { createProcessQueue } from '../adapters/postgres/process-queue.ts';
import { createProcessStore } from '../adapters/postgres/process-store.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { createAdvanceProcess } from '../application/advance-process.ts';
import { createHandleCommand } from '../application/handle-command.ts';
import { createMakeCall } from '../application/make-call.ts';
import { createSnapshotWriter } from '../application/snapshot-writer.ts';
import type { ProcessManager } from '../domain/kernel/process.ts';
import { createOrderFulfilment } from '../domain/order-fulfilment/order-fulfilment.ts';
import type { OutsideCalls } from '../ports/outside-calls.ts';
import type { ProcessReference } from '../ports/process-store.ts';
import { append } from './appends.ts';
import type { connect } from './tenant.ts';

export interface ProcessRunnerOptions {
  /** (Default: order-fulfilment.) */
  readonly manager?: ProcessManager;
  readonly outside?: OutsideCalls;
}

/** Commands and process managers of a tenant on a test's database, run in this process as far as they come without waiting. */
export function createProcessRunner(db: ReturnType<typeof connect>, tenantId: string, options: ProcessRunnerOptions = {}) {
  const { manager = createOrderFulfilment(), outside = { call: async () => ({ ok: true, value: {} }) } } = options;
  const isOwn = (claimed: { readonly tenantId: string }) => claimed.tenantId === tenantId;
  const log = pino({ level: 'silent' });
  const store = createProcessStore({ pool: db.worker });
  const commands = createCommandQueue({ pool: db.pump, pumpName: 'test' });
  const processes = createProcessQueue({ pool: db.pump, pumpName: 'test' });
  const commandStore = createCommandStore({ pool: db.worker });
  const snapshots = createSnapshotWriter({ store: commandStore, log });
  const handleCommand = createHandleCommand({ store: commandStore, snapshots, clock: systemClock });
  const advance = createAdvanceProcess({ store, findProcessManager: (name) => (name === manager.name ? manager : undefined), log });
  const { attempt } = createMakeCall({ store, outside, log });

  async function run(process: ProcessReference): Promise<void> {
    const { calls, more, nextTimerInMs } = await advance(process);
    for (const { callId } of calls) await attempt(process, callId, new AbortController().signal);
    if (more || nextTimerInMs === 0) await run(process);
  }

  return {
    store,
    advance,
    /** Until no command and no process manager has anything to do. */
    async settle(): Promise<void> {
      for (let done = 1; done > 0; ) {
        const claimedCommands = (await commands.claim(100)).filter(isOwn);
        for (const command of claimedCommands) await handleCommand(command);
        const claimedProcesses = (await processes.claim(100)).filter(isOwn);
        for (const process of claimedProcesses) await run(process);
        done = claimedCommands.length + claimedProcesses.length;
      }
    },
  };
}

/** A new order's OrderApproved, without its order: the instance that hears of it has something to do. Returns its key. */
export async function queueReaction(db: ReturnType<typeof connect>, tenantId: string): Promise<string> {
  const aggregateId = randomUUID();
  const events = [{ type: 'OrderApproved', payload: {} }];
  await append(db.worker, tenantId, { aggregateType: 'order', aggregateId, expectedVersion: 0, events });
  return aggregateId;
}
