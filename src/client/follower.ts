import type { DomainMessage } from '../domain/kernel/decider.ts';
import type { Api } from './api.ts';
import { FollowError } from './errors.ts';
import { emptyFeed, hasGap, hydrated, receive, type RecordedEvent, type Step } from './feed.ts';
import type { FollowOptions } from './follow.ts';

const retryPauseMs = 1_000;

/** What one aggregate's state needs to stay true. None of these throws: `onError` hears of failures. */
export interface Follower {
  /** To call whenever messages may have been missed. */
  hydrate(): void;
  take(events: readonly RecordedEvent[], head: number): void;
  /** To call where nothing is known to be missing. */
  catchUp(): void;
  stop(): void;
}

export function createFollower<State, Command extends DomainMessage, Event extends DomainMessage, Code extends string>(
  api: Api,
  { slice, aggregateId, onChange, onError }: FollowOptions<State, Command, Event, Code>,
): Follower {
  const { aggregateType, stateVersion, decider } = slice;
  let feed = emptyFeed;
  let state = decider.initialState;
  let version = 0;
  let isReading = false;
  let stopped = false;
  let retry: ReturnType<typeof setTimeout> | undefined;

  return {
    hydrate: () => void attempt(hydrate),
    take: (events, head) => apply(receive(feed, events, head)),
    catchUp,
    stop: () => {
      stopped = true;
      clearTimeout(retry);
    },
  };

  function catchUp(): void {
    void attempt(feed.position === null ? hydrate : readFeed);
  }

  async function hydrate(): Promise<void> {
    const found = await api.hydrate(aggregateType, aggregateId, stateVersion);
    const isFirst = feed.position === null;
    if (stopped || (!isFirst && found.position <= feed.position!)) return;
    const changed = isFirst || found.version !== version;
    const start = found.snapshot === null ? decider.initialState : (found.snapshot.state as State);
    state = found.events.reduce(evolve, start);
    version = found.version;
    apply(hydrated(feed, found.position), changed);
  }

  async function readFeed(): Promise<void> {
    if (isReading) return;
    isReading = true;
    try {
      do {
        const page = await api.readFeed(feed.position ?? 0);
        if (stopped) return;
        apply(receive(feed, page.events, page.headPosition));
        if (page.events.length === 0 && hasGap(feed)) throw new FollowError('The feed does not yet have what was announced.');
      } while (hasGap(feed));
    } finally {
      isReading = false;
    }
  }

  function apply({ feed: next, ready }: Step, hydratedAnew = false): void {
    if (stopped) return;
    feed = next;
    const own = ready.filter((event) => event.aggregateType === aggregateType && event.aggregateId === aggregateId);
    state = own.reduce(evolve, state);
    version = own.at(-1)?.version ?? version;
    if (hydratedAnew || own.length > 0) onChange({ state, version, position: feed.position! });
    if (hasGap(feed)) void attempt(readFeed);
  }

  function evolve(current: State, { type, payload }: RecordedEvent): State {
    // The log holds only what the slice's own decide has answered; the wire's types cannot know which.
    return decider.evolve(current, { type, payload } as unknown as Event);
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (stopped) return;
      onError?.(error instanceof FollowError ? error : new FollowError('Following failed.', { cause: error }));
      clearTimeout(retry);
      retry = setTimeout(catchUp, retryPauseMs);
    }
  }
}
