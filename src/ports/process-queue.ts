import type { ProcessReference } from './process-store.ts';

export interface ClaimedProcess extends ProcessReference {
  /** `dedicated`: the tenant has a task queue of its own. */
  readonly isolation: 'shared' | 'dedicated';
  /** The tenant's share of the shared queues, relative to the others. */
  readonly fairnessWeight: number;
  /** Of the request that set it off, or had it go on last. */
  readonly correlationId: string | null;
}

/** The process managers that wait, as the pump sees them. */
export interface ProcessQueue {
  /**
   * Instances that have something to do and that nobody was told of lately, at most `maxProcesses`. They come again as long as
   * there is something to do.
   */
  claim(maxProcesses: number): Promise<readonly ClaimedProcess[]>;
  /** Nobody could be told: it may be claimed again soon. */
  release(process: ProcessReference): Promise<void>;
}
