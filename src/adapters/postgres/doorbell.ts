import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import pgListen from 'pg-listen';
import type { Doorbell } from '../../ports/command-queue.ts';
import type { Logger } from '../../ports/logger.ts';
import { translatingErrors } from './errors.ts';

const channel = 'intent_commands';
const listenAgainPauseMs = 200;
const longestReconnectPauseMs = 5_000;
const connectTimeoutMs = 5_000;
/** A listener says nothing by itself: only an answer tells that the other end is still there. */
const defaultCheckIntervalMs = 5_000;

export interface DoorbellDeps {
  /** As `intent_pump`: the listener has a connection of its own, */
  readonly connectionString: string;
  /** and whoever sleeps holds one of the pool's, whose advisory lock tells inserts to ring. */
  readonly pool: Pool;
  readonly log: Logger;
  /** How often the listener is asked whether it hears, and how long it may take to answer: half-open within twice that. (Default: 5,000) */
  readonly checkIntervalMs?: number;
}

export interface RunningDoorbell extends Doorbell {
  /** False while the listener reconnects: what it misses is found by polling. */
  isListening(): boolean;
  close(): Promise<void>;
}

/** Listens for the NOTIFY of the commands table. Where the listener is away, sleeping falls back to its time-out. */
export async function createDoorbell({ connectionString, pool, log, checkIntervalMs = defaultCheckIntervalMs }: DoorbellDeps): Promise<RunningDoorbell> {
  const sleepers = new Set<() => void>();
  const subscriber = pgListen.default(
    {
      connectionString,
      application_name: 'intent-doorbell',
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: checkIntervalMs,
    },
    {
      paranoidChecking: checkIntervalMs,
      parse: (payload) => payload,
      retryInterval: (attempt) => Math.min(100 * 2 ** attempt, longestReconnectPauseMs),
      // Its default gives up after three seconds.
      retryTimeout: 0,
    },
  );
  let isListening = true;
  let isListeningAgain = false;
  const closing = new AbortController();
  const ring = () => sleepers.forEach((wake) => wake());
  subscriber.notifications.on(channel, ring);
  subscriber.events.on('error', (error) => {
    log.error({ err: error }, 'The doorbell is broken; commands are found by polling');
    void listenAgain();
  });
  subscriber.events.on('reconnect', (attempt) => {
    isListening = false;
    log.warn({ attempt }, 'The doorbell reconnects');
  });
  subscriber.events.on('connected', () => {
    isListening = true;
    // What was rung while it was away is lost: look.
    ring();
  });
  try {
    await subscriber.connect();
    await subscriber.listenTo(channel);
  } catch (error) {
    // Else it would go on reconnecting, beside the next attempt's.
    await subscriber.close();
    throw error;
  }

  return {
    isListening: () => isListening,
    async lieDown() {
      let rung = new AbortController();
      const lost = new AbortController();
      // With a reason, since otherwise each ring makes an error with a stack.
      const wake = () => rung.abort('rung');
      const lose = () => lost.abort('lost');
      const connection = await translatingErrors(() => pool.connect());
      // Until the pool has it back: what nobody listens to would end the process.
      connection.on('error', lose);
      // Before the lock is taken: what rings between the two must be heard.
      sleepers.add(wake);
      const bed = await takeBed();

      return {
        async sleep(timeoutMs, signal) {
          await untilAborted(AbortSignal.any([rung.signal, lost.signal, signal, AbortSignal.timeout(timeoutMs)]));
          const hasRung = rung.signal.aborted && !lost.signal.aborted;
          if (hasRung) rung = new AbortController();
          return hasRung;
        },
        async rise() {
          sleepers.delete(wake);
          const isGivenBack = bed === null || (await connection.query('select intent.wake_up($1)', [bed]).then(() => true, () => false));
          // A connection that may still hold the lock is closed, which ends it.
          connection.release(!isGivenBack);
          if (isGivenBack) connection.off('error', lose);
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
    close() {
      closing.abort();
      return subscriber.close();
    },
  };

  /** A pooler answers a login, and a server that hangs behind it no LISTEN: the library leaves it at that, and has a connection that hears nothing. */
  async function listenAgain(): Promise<void> {
    if (isListeningAgain) return;
    isListeningAgain = true;
    isListening = false;
    while (!closing.signal.aborted && !isListening) {
      try {
        await sleep(listenAgainPauseMs, undefined, { signal: closing.signal });
        // It sends nothing for a channel that it believes it listens to.
        if (subscriber.getSubscribedChannels().includes(channel)) await subscriber.unlisten(channel);
        await subscriber.listenTo(channel);
        isListening = true;
        ring();
      } catch {
        // Its own check may have found the connection dead meanwhile: then it reconnects, and says so.
      }
    }
    isListeningAgain = false;
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
