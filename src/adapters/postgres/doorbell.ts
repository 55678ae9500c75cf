import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import pgListen from 'pg-listen';
import type { Doorbell, WaitSlot } from '../../ports/command-queue.ts';
import type { Logger } from '../../ports/logger.ts';
import { translatingErrors } from './errors.ts';
import { createHearing } from './hearing.ts';

const channel = 'intent_commands';
const listenAgainPauseMs = 200;
const longestReconnectPauseMs = 5_000;
const connectTimeoutMs = 5_000;
/** A listener says nothing by itself: only an answer tells that the other end is still there. */
const defaultCheckIntervalMs = 5_000;
/** A wait slot is held by an open transaction, which the server ends after ten seconds without a statement. */
const longestWaitMs = 5_000;

export interface DoorbellDeps {
  /** As `intent_pump`: the listener has a connection of its own, */
  readonly connectionString: string;
  /** and anyone who waits holds one of the pool's, whose advisory lock tells inserts to ring. */
  readonly pool: Pool;
  readonly log: Logger;
  /** How often the listener is asked whether it hears, and how long it may take to answer: half-open within twice that. (Default: 5,000) */
  readonly checkIntervalMs?: number;
}

export interface RunningDoorbell extends Doorbell {
  /** False while the listener reconnects, and while it is deaf: what it misses is found by polling. */
  isListening(): boolean;
  /** It is connected, and what is rung does not arrive: why, and what to do. Undefined as long as it hears. */
  deafness(): string | undefined;
  close(): Promise<void>;
}

/** Listens for the NOTIFY of the commands table. If the listener is away, sleeping falls back to its time-out. */
export async function createDoorbell({ connectionString, pool, log, checkIntervalMs = defaultCheckIntervalMs }: DoorbellDeps): Promise<RunningDoorbell> {
  const waiting = new Set<() => void>();
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
  const hearing = createHearing({ subscriber, pool, log });
  let isListening = true;
  let isListeningAgain = false;
  const closing = new AbortController();
  const ring = () => waiting.forEach((wake) => wake());
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
    hearing.again();
    // What was rung while it was away is lost: look.
    ring();
  });
  try {
    await subscriber.connect();
    await subscriber.listenTo(channel);
    await hearing.begin();
  } catch (error) {
    // Else it would go on reconnecting, beside the next attempt's.
    hearing.end();
    await subscriber.close();
    throw error;
  }

  return {
    isListening: () => isListening && hearing.deafness() === undefined,
    deafness: hearing.deafness,
    async takeWaitSlot() {
      // Nobody needs to ring for the deaf.
      if (hearing.deafness() !== undefined) return unheard;
      let rung = new AbortController();
      const lost = new AbortController();
      // With a reason, since otherwise each ring makes an error with a stack.
      const wake = () => rung.abort('rung');
      const lose = () => lost.abort('lost');
      const connection = await translatingErrors(() => pool.connect());
      // Until the pool has it back: what nobody listens to would end the process.
      connection.on('error', lose);
      // Before the lock is taken: what rings between the two must be heard.
      waiting.add(wake);
      await takeLock();
      const waitsSince = performance.now();

      return {
        async wait(timeoutMs, signal) {
          await untilAborted(AbortSignal.any([rung.signal, lost.signal, signal, AbortSignal.timeout(timeoutMs)]));
          const hasRung = rung.signal.aborted && !lost.signal.aborted;
          if (hasRung) rung = new AbortController();
          return hasRung && performance.now() - waitsSince < longestWaitMs;
        },
        async release() {
          waiting.delete(wake);
          const isGivenBack = await connection.query('commit').then(() => true, () => false);
          // A connection that may still hold the lock is closed, which ends it.
          connection.release(!isGivenBack);
          if (isGivenBack) connection.off('error', lose);
        },
      };

      /** For as long as a transaction: whatever stands between us and the server, this connection has it, and gives it back. */
      async function takeLock(): Promise<void> {
        try {
          await translatingErrors(() => connection.query('begin; select intent.take_wait_slot()'));
        } catch (error) {
          waiting.delete(wake);
          connection.release(true);
          throw error;
        }
      }
    },
    async close() {
      closing.abort();
      hearing.end();
      await subscriber.close();
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
        for (const each of [channel, hearing.channel]) {
          if (subscriber.getSubscribedChannels().includes(each)) await subscriber.unlisten(each);
          await subscriber.listenTo(each);
        }
        isListening = true;
        hearing.again();
        ring();
      } catch {
        // Its own check may have found the connection dead meanwhile: then it reconnects, and says so.
      }
    }
    isListeningAgain = false;
  }
}

/** Waits by the clock alone. */
const unheard: WaitSlot = {
  async wait(timeoutMs, signal) {
    await untilAborted(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
    return false;
  },
  async release() {},
};

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
