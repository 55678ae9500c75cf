/** How much waits over all tenants, and for how long: what no single process can count. */
export interface QueueFigures {
  /** Due and not yet handed over to an engine; those with a later `executeAt` are not among them. */
  readonly pending: number;
  readonly dispatched: number;
  /** Claims whose lease has ended without a mark. */
  readonly expiredClaims: number;
  /** Of the pending one that was due first; 0 if none waits. */
  readonly oldestWaitingSeconds: number;
  readonly deadLetters: number;
  readonly reactions: number;
  readonly oldestReactionSeconds: number;
  readonly failedProcesses: number;
  /** Of the subscription and tenant that is furthest behind. */
  readonly feedLagEvents: number;
}

export type ReadQueueFigures = () => Promise<QueueFigures>;
