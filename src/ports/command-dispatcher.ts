import type { ClaimedCommand } from './command-queue.ts';

/** `started`: the execution is safe in the engine's hands. `ended`: it is over. */
export type Handover = 'started' | 'ended';

/** Hands claimed commands over to an engine. */
export interface CommandDispatcher {
  /**
   * For each command, in the same order, a promise of its own. Handing a command over a second time is harmless. A promise rejects
   * if the engine cannot be reached; the command may then have been taken over or not.
   */
  dispatchAll(commands: readonly ClaimedCommand[]): readonly Promise<Handover>[];
}
