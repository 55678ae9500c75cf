import { type Fault, restWithinMs } from './fault.ts';

/** The pause between two calls doubles from half a second on; who has called in vain for the hold, and then twice more, waits so long. */
const restAfterRetriesWithinMs = 30_000;

export const supplierFaults: readonly Fault[] = [
  {
    name: 'stop-supplier',
    family: 'supplier',
    about: 'the supplier is away, and comes back with an empty book',
    restWithinMs: restAfterRetriesWithinMs,
    async inject({ stack }) {
      await stack.supplier().stop();
      return () => stack.restartSupplier();
    },
  },
  {
    name: 'pause-supplier',
    family: 'supplier',
    about: 'the supplier does not answer (SIGSTOP), and goes on later',
    restWithinMs,
    async inject({ stack }) {
      const { pid } = stack.supplier();
      process.kill(pid, 'SIGSTOP');
      return async () => void process.kill(pid, 'SIGCONT');
    },
  },
];
