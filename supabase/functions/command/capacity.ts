import { Problem } from './problem.ts';

/** Runs work, or throws a `Problem` at once if there is too much of it. */
export type WithinCapacity = <Value>(work: () => Promise<Value>) => Promise<Value>;

/**
 * Behind an instance stands one PostgREST, with some ten connections: what is more than it can take would only wait, and time out in
 * the end. Anyone who is refused early comes again, and what is in hand is answered soon.
 */
export function createCapacity(maxAtOnce: number): WithinCapacity {
  let atOnce = 0;
  return async (work) => {
    if (atOnce >= maxAtOnce) {
      throw new Problem('IN503', 'Too many commands at once; this one was not taken. Send it again.', { headers: { 'Retry-After': '1' } });
    }
    atOnce += 1;
    try {
      return await work();
    } finally {
      atOnce -= 1;
    }
  };
}
