import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { Subscriber } from 'pg-listen';
import type { Logger } from '../../ports/logger.ts';

const testEveryMs = 60_000;
/** A notification takes milliseconds, but for a busy machine: twice missed is deaf. */
const longestWayMs = 3_000;

const remedy =
  'It leads through a pooler in transaction mode, it seems, which does not pass on what is rung. Commands are found by polling, up to half a ' +
  'second late: give the pump a direct connection, or a pooler in session mode';

export interface HearingDeps {
  readonly subscriber: Pick<Subscriber, 'listenTo' | 'notifications'>;
  /** Rings, on another connection than the listener's. */
  readonly pool: Pool;
  readonly log: Logger;
}

/**
 * Whether a listener hears what is rung, tried from time to time. Behind a pooler in transaction mode it is told that it listens, and then
 * hears nothing.
 */
export function createHearing({ subscriber, pool, log }: HearingDeps) {
  // Of its own, so that nobody else wakes for it.
  const channel = `intent_hearing_${randomBytes(8).toString('hex')}`;
  let isDeaf = false;
  let timer: NodeJS.Timeout | undefined;
  let hear = () => {};
  subscriber.notifications.on(channel, () => hear());

  /** Undefined if that cannot be told. */
  async function isHeard(): Promise<boolean | undefined> {
    const heard = Promise.withResolvers<boolean>();
    const tooLate = setTimeout(() => heard.resolve(false), longestWayMs);
    hear = () => heard.resolve(true);
    try {
      const { rowCount } = await pool.query(`select pg_notify($1, '') where pg_notification_queue_usage() < 0.5`, [channel]);
      // Without room in the server's queue nothing is rung.
      return rowCount === 0 ? undefined : await heard.promise;
    } catch {
      // The server is away: others say so.
      return undefined;
    } finally {
      clearTimeout(tooLate);
    }
  }

  async function test(): Promise<void> {
    const isHeardAtLast = (await isHeard()) || (await isHeard());
    if (isHeardAtLast !== undefined) note(isHeardAtLast);
  }

  function note(hears: boolean): void {
    if (isDeaf === !hears) return;
    isDeaf = !hears;
    if (isDeaf) log.error({}, `The doorbell is deaf. ${remedy}`);
    else log.info({}, 'The doorbell hears again');
  }

  return {
    channel,

    /** Resolves when it is known for the first time. */
    async begin(): Promise<void> {
      await subscriber.listenTo(channel);
      await test();
      timer = setInterval(() => void test(), testEveryMs);
      timer.unref();
    },

    /** Tries it now, since the connection is a new one. */
    again(): void {
      if (timer !== undefined) void test();
    },

    end: () => clearInterval(timer),

    deafness: (): string | undefined => (isDeaf ? remedy : undefined),
  };
}
