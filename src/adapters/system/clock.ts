import { setImmediate as afterInput, setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.ts';

/** One after the other, each in a round of the event loop of its own: many that compute do not add up between two looks at the sockets. */
let lastBreath: Promise<void> = Promise.resolve();

export const systemClock: Clock = {
  now: () => new Date().toISOString(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
  breathe: () => (lastBreath = lastBreath.then(() => afterInput())),
};
