import type { Pool } from 'pg';
import { callFunction } from './call-function.ts';

/** Trying is a write, though it is taken back: not each time that somebody looks. */
const triedEveryMs = 10_000;

/** Why clients cannot be told by Realtime of what happens; undefined if they can. Tried, at most every ten seconds. Of a worker or a pump. */
export function createHintFault(pool: Pool): () => Promise<string | undefined> {
  let triedAt = -Infinity;
  let trying: Promise<string | undefined> = Promise.resolve(undefined);

  return () => {
    if (performance.now() - triedAt >= triedEveryMs) {
      triedAt = performance.now();
      trying = callFunction<string | null>(pool, 'intent.hint_fault()', []).then(
        (fault) => (fault === null ? undefined : `clients are not told by Realtime (${fault}); they see what is new when they read the feed`),
      );
      trying.catch(() => (triedAt = -Infinity));
    }
    return trying;
  };
}
