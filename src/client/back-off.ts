/** What is repeated by itself: so often in a row, with pauses for `backOffMs`: 10 to 19 seconds in all. */
export const patience = { attempts: 6, firstMs: 300, longestMs: 10_000 } as const;

/** Milliseconds before the next attempt: doubled each time up to a limit, half of it random, so that clients do not come together. */
export function backOffMs(attempt: number, firstMs: number, longestMs: number): number {
  return Math.min(firstMs * 2 ** (attempt - 1), longestMs) * (0.5 + Math.random() / 2);
}

/** Resolves after a time, or as soon as the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
