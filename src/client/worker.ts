import { backOffMs, patience, pause } from './back-off.ts';

export interface Worker {
  /** Makes it work, if it does not already. */
  run(): void;
  /** The same, at once and with as many attempts as at first: something has happened that may help. */
  runAfresh(): void;
}

/** Repeats work that fails, not for ever: afterwards it rests until it is called. `work` returns whether it is done, and does not throw. */
export function createWorker(work: () => Promise<boolean>, stopped: AbortSignal): Worker {
  let attempts = 0;
  let running = false;
  let rest = new AbortController();

  return {
    run: () => void run(),
    runAfresh() {
      attempts = 0;
      rest.abort();
      void run();
    },
  };

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    attempts = 0;
    while (!stopped.aborted && !(await work()) && attempts < patience.attempts) {
      attempts += 1;
      rest = new AbortController();
      await pause(backOffMs(attempts, patience.firstMs, patience.longestMs), AbortSignal.any([rest.signal, stopped]));
    }
    running = false;
  }
}
