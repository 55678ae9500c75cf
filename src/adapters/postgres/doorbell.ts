import pgListen from 'pg-listen';
import type { Doorbell } from '../../ports/command-queue.ts';
import type { Logger } from '../../ports/logger.ts';

const channel = 'intent_commands';
const longestReconnectPauseMs = 5_000;

export interface RunningDoorbell extends Doorbell {
  close(): Promise<void>;
}

/** Listens for the NOTIFY of the commands table. Where the listener is away, waiting falls back to its time-out. */
export async function createDoorbell({ connectionString, log }: { connectionString: string; log: Logger }): Promise<RunningDoorbell> {
  const subscriber = pgListen.default(
    { connectionString, application_name: 'intent-doorbell' },
    {
      parse: (payload) => payload,
      retryInterval: (attempt) => Math.min(100 * 2 ** attempt, longestReconnectPauseMs),
      // Its default gives up after three seconds.
      retryTimeout: 0,
    },
  );
  const waiting = new Set<() => void>();
  // A ring while nobody waits is kept for the next wait: the pump may be busy with the batch before.
  let rung = false;
  function ring(): void {
    rung = waiting.size === 0;
    for (const wake of waiting) wake();
  }
  subscriber.notifications.on(channel, ring);
  subscriber.events.on('error', (error) => log.error({ err: error }, 'The doorbell is broken; commands are found by polling'));
  subscriber.events.on('reconnect', (attempt) => log.warn({ attempt }, 'The doorbell reconnects'));
  subscriber.events.on('connected', ring);
  await subscriber.connect();
  await subscriber.listenTo(channel);

  return {
    wait(timeoutMs, signal) {
      if (rung || signal.aborted) {
        rung = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const timer = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake, { once: true });
        waiting.add(wake);
        function wake(): void {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          waiting.delete(wake);
          resolve();
        }
      });
    },
    close: () => subscriber.close(),
  };
}
