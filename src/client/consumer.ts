import type { Api } from './api.ts';
import type { RecordedEvent } from './feed.ts';

/** Whoever is fed. */
export interface Consumer {
  /** Fetches a whole state, where that is better than all events since `position`; else null, but not for the first time. */
  load(api: Api, position: number | null): Promise<Loaded | null>;
  /** Called for every position once, in order. A `FollowError` that it throws closes the feed. */
  apply(event: RecordedEvent): void;
  /** After events have been applied, and after what may be a change of the connection. */
  onChange(): void;
}

export interface Loaded {
  readonly position: number;
  /** Where it is known that there are events after `position`. */
  readonly head?: number;
  /** Makes it the consumer's state; not called where the consumer is as far already. */
  adopt(): void;
}
