import type { Api } from './api.ts';
import type { Connection, Live } from './connection.ts';
import type { RecordedEvent } from './feed.ts';
import type { Session } from './session.ts';

/** What feeds a consumer. */
export interface LiveFeed extends Live {
  /** Of the last event applied, or of the state loaded; null at first. */
  position(): number | null;
  connection(): Connection;
  /** As it was when the channel was joined; null until then. */
  session(): Session | null;
  /** Says that the log is known to go up to this position: what is missing is fetched. */
  reach(position: number): void;
  readonly closed: AbortSignal;
}

/** The one that is fed. */
export interface Consumer {
  /** Fetches a whole state, if that is better than all events since `position`; else null, but not for the first time. */
  load(api: Api, position: number | null): Promise<Loaded | null>;
  /** Called for every position once, in order. A `FollowError` that it throws closes the feed, here and in the others. */
  apply(event: RecordedEvent): void;
  /** The log is not the one that was followed: the database was restored to an earlier time. What comes next is `load`, as at first. */
  forget(): void;
  /** After events have been applied, and after what may be a change of the connection. */
  onChange(): void;
}

export interface Loaded {
  readonly position: number;
  /** If it is known that there are events after `position`. */
  readonly head?: number;
  /** Makes it the consumer's state; not called if the consumer is as far already. */
  adopt(): void;
}
