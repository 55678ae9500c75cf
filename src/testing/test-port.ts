import { randomInt } from 'node:crypto';
import { choosePort } from '../local/ports.ts';

/** Below the ports that systems give to outgoing connections, which would meet ours between look and use. */
const lowest = 12_000;
const highest = 31_000;

/** A free port on 127.0.0.1, from a place chosen at random: test files and test runs at the same time do not meet. */
export function chooseTestPort(): Promise<number> {
  return choosePort(randomInt(lowest, highest));
}
