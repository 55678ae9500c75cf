export interface Clock {
  /** ISO 8601, UTC. */
  now(): string;
  /** Resolves after so many milliseconds, or as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
