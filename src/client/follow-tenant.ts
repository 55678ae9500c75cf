import { type Api, openApi } from './api.ts';
import { backOffMs, patience, pause } from './back-off.ts';
import type { Connection, Live } from './connection.ts';
import { FollowError } from './errors.ts';
import type { RecordedEvent } from './feed.ts';
import { ended } from './iterate.ts';
import { createLiveFeed, type LiveFeedDeps } from './live-feed.ts';
import { createStore, type ReadableStore } from './store.ts';

const defaultKeep = 1_000;

export interface FollowTenantOptions {
  /** Begin after this position; 0: with the first event. (Default: the end of the log, so only what is new.) */
  readonly after?: number;
  /** How many events the snapshot holds at most, the newest ones. (Default: 1,000.) */
  readonly keep?: number;
}

export interface FollowedTenant {
  /** The newest ones, in order. Types that this client does not know are among them: anyone who folds them must say what to do. */
  readonly events: readonly RecordedEvent[];
  /** Of the last event; null until it is known where to begin. */
  readonly position: number | null;
  readonly connection: Connection;
}

/**
 * Iterated, it gives every event after the beginning, in order and without a hole, to each iteration anew. One that is slower
 * than the events, by more than are kept, reads what it has missed from the server: it costs calls and no memory. If that
 * fails again and again it throws `UNAVAILABLE`: follow again, after the last event's position.
 */
export interface FollowingTenant extends ReadableStore<FollowedTenant>, AsyncIterable<RecordedEvent>, Live {}

export type FollowTenant = (options?: FollowTenantOptions) => FollowingTenant;

/** Follows all events of the session's tenant. Does not throw: `connection` tells what is wrong. */
export function createFollowTenant(deps: LiveFeedDeps): FollowTenant {
  return ({ after, keep = defaultKeep } = {}) => {
    let beginning: number | null = null;
    let events: RecordedEvent[] = [];
    let shown: Connection | undefined;
    let shownPosition: number | null = null;

    const store = createStore(() => ({
      events: events.slice(-keep),
      position: (shownPosition = feed.position()),
      connection: (shown = feed.connection()),
    }));

    const feed = createLiveFeed(deps, {
      async load(api, position) {
        if (position !== null) {
          await checkLast(api);
          return null;
        }
        const { headPosition } = await api.readFeed(after ?? 0, 1);
        if (after !== undefined && after > headPosition) {
          throw aheadOfLog(`Position ${after} is beyond the end of the log, which is ${headPosition}.`);
        }
        return {
          position: after ?? headPosition,
          head: headPosition,
          adopt() {
            beginning = after ?? headPosition;
          },
        };
      },
      apply(event) {
        events.push(event);
        // Now and then, so that an event costs the same however many are kept.
        if (events.length > 2 * keep) events = events.slice(-keep);
      },
      forget() {
        throw aheadOfLog('The log ends before the last event that came from it.');
      },
      onChange() {
        const { status, error } = feed.connection();
        if (feed.position() !== shownPosition || status !== shown?.status || error !== shown.error) store.invalidate();
      },
    });

    return {
      getSnapshot: store.getSnapshot,
      subscribe: store.subscribe,
      waitFor: feed.waitFor,
      close: feed.close,
      [Symbol.asyncIterator]: () => iterateEvents(),
    };

    /** If the log was set back and has grown again, other events have the positions of those that were given out. */
    async function checkLast(api: Api): Promise<void> {
      const last = events.at(-1);
      if (last === undefined) return;
      const { events: [found] } = await api.readFeed(last.position - 1, 1);
      if (found !== undefined && found.recordedAt !== last.recordedAt) throw aheadOfLog(`Position ${last.position} is now another event's.`);
    }

    async function* iterateEvents(): AsyncGenerator<RecordedEvent, void, undefined> {
      for (let cursor: number | null = null; ; ) {
        const change = store.nextChange();
        cursor ??= beginning;
        const position = feed.position();
        if (cursor === null || position === null || cursor >= position) {
          if (feed.closed.aborted) return ended(feed.connection());
          await change;
          continue;
        }
        for (const event of await eventsAfter(cursor)) {
          yield event;
          cursor = event.position;
        }
      }
    }

    async function eventsAfter(cursor: number): Promise<readonly RecordedEvent[]> {
      const next = events.findIndex(({ position }) => position === cursor + 1);
      if (next !== -1) return events.slice(next);
      const { events: missed } = await readPatiently(cursor);
      if (missed[0]?.position !== cursor + 1) {
        throw new FollowError('UNAVAILABLE', `The server does not have position ${cursor + 1}.`);
      }
      return missed;
    }

    async function readPatiently(cursor: number): ReturnType<Api['readFeed']> {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const api = await openApi(deps.supabase);
          return await api.readFeed(cursor);
        } catch (error) {
          if (attempt > patience.attempts || !(error instanceof FollowError && error.code === 'UNAVAILABLE')) throw error;
          await pause(backOffMs(attempt, patience.firstMs, patience.longestMs));
        }
      }
    }
  };
}

function aheadOfLog(message: string): FollowError {
  return new FollowError('AHEAD_OF_LOG', `${message} It belongs to another log, as where a database was restored to an earlier time.`);
}
