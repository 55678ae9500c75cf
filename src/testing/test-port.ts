import { choosePort } from '../local/ports.ts';

const firstPort = 56_000;
const portsPerWorker = 40;

/** A free port from a range of this vitest worker's own: workers run at once and cannot see what the others have chosen. */
export function chooseTestPort(): Promise<number> {
  return choosePort(firstPort + portsPerWorker * Number(process.env['VITEST_POOL_ID'] ?? 0));
}
