import type { SupabaseClient } from '@supabase/supabase-js';
import { type Api, createApi } from './api.ts';
import type { Connection } from './connection.ts';
import type { Consumer, LiveFeed } from './consumer.ts';
import { asFollowError, FollowError } from './errors.ts';
import { emptyFeed, hasGap, hydrated, receive, type Step } from './feed.ts';
import { createLogEnd } from './log-end.ts';
import { readSession, type Session } from './session.ts';
import { createSignal } from './signal.ts';
import type { TenantChannels } from './tenant-channels.ts';
import { waitUntil } from './wait-until.ts';
import { onWakeUp } from './wake-up.ts';
import { createWorker } from './worker.ts';

/** A lost message at the end of the stream has no later one to show it: this finds it, and tries again what has failed. */
const catchUpEveryMs = 30_000;

export interface LiveFeedDeps {
  readonly supabase: SupabaseClient;
  readonly channels: TenantChannels;
}

/** The events of the session's tenant, without a hole, whatever becomes of messages, sockets and tokens. */
export function createLiveFeed({ supabase, channels }: LiveFeedDeps, consumer: Consumer): LiveFeed {
  const closing = new AbortController();
  const advance = createSignal();
  const logEnd = createLogEnd();
  let feed = emptyFeed;
  let applied: number | null = null;
  let error: FollowError | null = null;
  let joined: { readonly session: Session; readonly api: Api; leave(): void } | undefined;
  let subscribed = false;
  /** Messages may have been missed since the last look at the server. */
  let stale = true;
  let wanted: 'nothing' | 'events' | 'state' = 'nothing';

  const worker = createWorker(work, closing.signal);
  const timer = setInterval(() => want('events'), catchUpEveryMs);
  const ignoreWakeUps = onWakeUp(() => want('state'));
  worker.run();

  return {
    position: () => applied,
    connection: () => ({ status: status(), error }),
    session: () => joined?.session ?? null,
    reach,
    closed: closing.signal,
    waitFor(position, options) {
      let looks = 0;
      const look = () => {
        if (applied !== null && applied >= position) return true;
        if (closing.signal.aborted) throw error ?? new FollowError('UNAVAILABLE', 'The following was closed.');
        // What announces the position may be lost.
        if ((looks += 1) > 1) want('events');
        return false;
      };
      return waitUntil(look, `Position ${position}`, options, advance.next);
    },
    close: () => end(null),
  };

  function status(): Connection['status'] {
    if (closing.signal.aborted) return 'closed';
    if (applied === null && (subscribed || error === null)) return 'connecting';
    if (!subscribed) return 'offline';
    return stale || hasGap(feed) ? 'behind' : 'live';
  }

  function want(what: 'events' | 'state'): void {
    if (what === 'state') stale = true;
    if (wanted !== 'state') wanted = what;
    worker.runAfresh();
  }

  /** Joins, loads and reads until nothing is missing. */
  async function work(): Promise<boolean> {
    let doing = wanted;
    try {
      joined ??= await join();
      while (!closing.signal.aborted && (wanted !== 'nothing' || hasGap(feed))) {
        doing = applied === null ? 'state' : wanted;
        wanted = 'nothing';
        await (doing === 'state' ? load(joined.api) : read(joined.api));
      }
      return true;
    } catch (cause) {
      if (doing === 'state' || wanted === 'nothing') wanted = doing;
      report(asFollowError(cause));
      return false;
    }
  }

  async function join() {
    const session = await readSession(supabase);
    const leave = await channels.join(session, {
      onSubscribed() {
        subscribed = true;
        // Buffers until the log was looked at: what was applied may not be of the same one any more.
        feed = emptyFeed;
        want('state');
      },
      onReady: () => want('events'),
      onAppended: ({ events = [], toPosition }) => take(receive(feed, events, toPosition)),
      // Only a hint: what the server then answers decides.
      onRemoved: () => want('state'),
      onInterrupted(problem) {
        subscribed = false;
        // What is read next may be of another log already, before the socket is back.
        wanted = 'state';
        report(problem);
      },
    });
    if (closing.signal.aborted) leave();
    return { session, api: createApi(supabase, session.tenantId), leave };
  }

  async function load(api: Api): Promise<void> {
    const from = applied;
    const loaded = await consumer.load(api, from);
    if (loaded === null) return read(api);
    if (closing.signal.aborted) return;
    if (from !== null && wentBack(from, loaded.position)) return;
    if (applied === null || loaded.position >= applied) {
      loaded.adopt();
      applied = loaded.position;
    }
    upToDate();
    take(hydrated(feed, applied));
    if (loaded.head !== undefined) reach(loaded.head);
  }

  async function read(api: Api): Promise<void> {
    const from = applied ?? 0;
    const page = await api.readFeed(from);
    // A message may have ended it meanwhile, and the reason stays.
    if (closing.signal.aborted) return;
    if (wentBack(from, page.headPosition)) return;
    upToDate();
    if (feed.position === null) take(hydrated(feed, from));
    take(receive(feed, page.events, page.headPosition));
    if (page.events.length === 0 && hasGap(feed)) {
      throw new FollowError('UNAVAILABLE', 'The feed does not yet have what was announced.');
    }
  }

  /** The log ends before what was applied: nothing of that can be relied on. */
  function wentBack(from: number, head: number): boolean {
    if (head < from) [wanted, stale] = ['state', true];
    if (!logEnd.isBefore(from, head)) return false;
    feed = emptyFeed;
    applied = null;
    consumer.forget();
    return true;
  }

  function reach(position: number): void {
    take(receive(feed, [], position));
  }

  function upToDate(): void {
    stale = wanted === 'state';
    if (subscribed) error = null;
  }

  function take(step: Step): void {
    if (closing.signal.aborted) return;
    feed = step.feed;
    try {
      for (const event of step.ready) {
        consumer.apply(event);
        applied = event.position;
      }
    } catch (cause) {
      return end(asFollowError(cause));
    }
    advance.fire();
    consumer.onChange();
    if (hasGap(feed)) worker.run();
  }

  /** What does not pass by itself ends it. */
  function report(problem: FollowError): void {
    if (problem.code !== 'UNAVAILABLE') return end(problem);
    if (closing.signal.aborted) return;
    error = problem;
    consumer.onChange();
  }

  function end(reason: FollowError | null): void {
    if (closing.signal.aborted) return;
    error = reason;
    clearInterval(timer);
    ignoreWakeUps();
    joined?.leave();
    feed = emptyFeed;
    closing.abort();
    advance.fire();
    consumer.onChange();
  }
}
