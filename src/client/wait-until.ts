import { backOffMs, pause } from './back-off.ts';
import { FollowError } from './errors.ts';

const firstLookMs = 50;
const longestPauseMs = 1_000;

export interface WaitOptions {
  /** (Default: 10,000.) */
  readonly timeoutMs?: number;
}

/**
 * Looks again and again, with growing pauses. `wake` resolves if it is worth looking at once. Throws a `FollowError` with
 * `TIMED_OUT`.
 */
export async function waitUntil(
  look: () => boolean | Promise<boolean>,
  description: string,
  { timeoutMs = 10_000 }: WaitOptions = {},
  wake: () => Promise<void> = () => new Promise(() => {}),
): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs);
  for (let attempt = 1; !(await look()); attempt += 1) {
    if (timeout.aborted) throw new FollowError('TIMED_OUT', `${description} has not come in ${timeoutMs} ms.`);
    await Promise.race([wake(), pause(backOffMs(attempt, firstLookMs, longestPauseMs), timeout)]);
  }
}
