import type { Pool } from 'pg';
import pgListen from 'pg-listen';
import type { Doorbell } from '../../ports/command-queue.ts';
import type { Logger } from '../../ports/logger.ts';
import { translatingErrors } from './errors.ts';

const channel = 'intent_commands';
const longestReconnectPauseMs = 5_000;

export interface DoorbellDeps {
  /** As `intent_pump`: the listener has a connection of its own, */
  readonly connectionString: string;
  /** and whoever sleeps holds one of the pool's, whose advisory lock tells inserts to ring. */
  readonly pool: Pool;
  readonly log: Logger;
}

export interface RunningDoorbell extends Doorbell {
  close(): Promise<void>;
}

/** Listens for the NOTIFY of the commands table. Where the listener is away, sleeping falls back to its time-out. */
export async function createDoorbell({ connectionString, pool, log }: DoorbellDeps): Promise<RunningDoorbell> {
  const sleepers = new Set<() => void>();
  const subscriber = pgListen.default(
    { connectionString, application_name: 'intent-doorbell' },
    {
      parse: (payload) => payload,
      retryInterval: (attempt) => Math.min(100 * 2 ** attempt, longestReconnectPauseMs),
      // Its default gives up after three seconds.
      retryTimeout: 0,
    },
  );
  const ring = () => sleepers.forEach((wake) => wake());
  subscriber.notifications.on(channel, ring);
  subscriber.events.on('error', (error) => log.error({ err: error }, 'The doorbell is broken; commands are found by polling'));
  subscriber.events.on('reconnect', (attempt) => log.warn({ attempt }, 'The doorbell reconnects'));
  // What was rung while it was away is lost: look.
  subscriber.events.on('connected', ring);
  try {
    await subscriber.connect();
    await subscriber.listenTo(channel);
  } catch (error) {
    // Else it would go on reconnecting, beside the next attempt's.
    await subscriber.close();
    throw error;
  }

  return {
    async lieDown() {
      const rung = new AbortController();
      const wake = () => rung.abort();
      const connection = await translatingErrors(() => pool.connect());
      connection.once('error', wake);
      // Before the lock is taken: what rings between the two must be heard.
      sleepers.add(wake);
      const bed = await takeBed();

      return {
        sleep: (timeoutMs, signal) => untilAborted(AbortSignal.any([rung.signal, signal, AbortSignal.timeout(timeoutMs)])),
        async rise() {
          sleepers.delete(wake);
          connection.off('error', wake);
          const isGivenBack = bed === null || (await connection.query('select intent.wake_up($1)', [bed]).then(() => true, () => false));
          // A connection that may still hold the lock is closed, which ends it.
          connection.release(!isGivenBack);
        },
      };

      async function takeBed(): Promise<number | null> {
        try {
          const { rows } = await translatingErrors(() => connection.query<{ bed: number | null }>('select intent.fall_asleep() as bed'));
          return rows[0]?.bed ?? null;
        } catch (error) {
          sleepers.delete(wake);
          connection.release(true);
          throw error;
        }
      }
    },
    close: () => subscriber.close(),
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
