import type { ClaimedCommand } from './command-queue.ts';

/** Hands a claimed command over to an engine. */
export interface CommandDispatcher {
  /**
   * Resolves once the command's execution is safe in the engine's hands, or over. A second call for a command is harmless.
   * Throws where the engine cannot be reached; the command may then have been taken over or not.
   */
  dispatch(command: ClaimedCommand): Promise<void>;
}
