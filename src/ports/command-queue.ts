import type { Execution } from '../domain/kernel/message.ts';

export interface CommandReference {
  readonly tenantId: string;
  readonly commandId: string;
}

/** A command that this pump has in flight, until its lease ends. */
export interface ClaimedCommand extends CommandReference {
  readonly type: string;
  readonly correlationId: string;
  readonly traceparent: string | null;
  /** Tells this claim from a later one; a report with an older token changes nothing. */
  readonly fencingToken: string;
  /** Which engine its type asks for; null if the registry does not know the type. */
  readonly execution: Execution | null;
  /** `dedicated`: the tenant has a task queue of its own. */
  readonly isolation: 'shared' | 'dedicated';
  /** The tenant's share of the shared queues, relative to the others. */
  readonly fairnessWeight: number;
  /** How often it has been claimed, this time included. */
  readonly attempts: number;
  /** Since it could be claimed, by the queue's clock. */
  readonly waitedSeconds: number;
}

/** The commands that wait, as the pump sees them. */
export interface CommandQueue {
  /** Due commands, fairly over tenants and in order within an aggregate, at most `maxCommands`. */
  claim(maxCommands: number): Promise<readonly ClaimedCommand[]>;
  /** Records that their execution has been started, and returns how many: without those that have ended or whose claim has passed on. */
  markDispatched(commands: readonly ClaimedCommand[]): Promise<number>;
  /** Gives a claim back unused. */
  release(command: ClaimedCommand): Promise<void>;
}

/** Rings for a pump that waits when there may be something to claim. It may miss one, so nobody waits for long. */
export interface Doorbell {
  /** From now on it rings. Look at the queue once more before you wait: what came earlier has not rung. */
  takeWaitSlot(): Promise<WaitSlot>;
}

export interface WaitSlot {
  /**
   * Resolves at the first ring since `takeWaitSlot`, or since it resolved last, after `timeoutMs`, or when the signal aborts. Says whether
   * it has rung; if not, it may not hear any more: take another slot.
   */
  wait(timeoutMs: number, signal: AbortSignal): Promise<boolean>;
  /** From now on nobody needs to ring. */
  release(): Promise<void>;
}
