export interface Clock {
  /** ISO 8601, UTC. */
  now(): string;
  /** Resolves after so many milliseconds, or as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Resolves when whatever else waits for this thread has had its turn: answers of sockets, timers, and others that breathe. */
  breathe(): Promise<void>;
}
