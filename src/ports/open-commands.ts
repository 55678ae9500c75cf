import type { CommandReference } from './command-queue.ts';

/** A command that was handed over to an engine and has no outcome. */
export interface OpenCommand extends CommandReference {
  readonly type: string;
  readonly correlationId: string;
  readonly traceparent: string | null;
  readonly isolation: 'shared' | 'dedicated';
  readonly fairnessWeight: number;
  /** When it was handed over, the last time if an operator has retried it. */
  readonly dispatchedAt: Date;
}

export interface OpenCommands {
  /** The oldest that were handed over longer ago than that. */
  list(dispatchedBeforeMs: number, maxCommands: number): Promise<readonly OpenCommand[]>;
}

/** What an engine knows of its executions of commands. Throws if the engine cannot be reached. */
export interface CommandExecutions {
  /** False if there is none, or if it has ended, in whatever way. */
  isRunning(command: CommandReference): Promise<boolean>;
  /** How many of this command have begun since, as far as the engine remembers. */
  countSince(command: CommandReference, since: Date): Promise<number>;
  /** Executes it again: harmless if it has ended or is running after all. */
  startAgain(command: OpenCommand): Promise<void>;
  /** Dead-letters it, unless it has ended after all. */
  giveUp(command: OpenCommand, reason: { readonly name: string; readonly message: string }): Promise<void>;
}
