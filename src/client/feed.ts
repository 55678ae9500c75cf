/** The order in which a client applies events: by the tenant's contiguous position, whatever order messages come in. */

export interface RecordedEvent {
  readonly position: number;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly payload: unknown;
  readonly metadata: EventMetadata;
  /** ISO 8601. */
  readonly recordedAt: string;
}

/** Who and what led to an event. */
export interface EventMetadata {
  readonly commandId?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly actor?: { readonly userId: string | null; readonly role: string };
}

export interface Feed {
  /** Of the last event applied; null until the client has hydrated. */
  readonly position: number | null;
  /** The highest position heard of. */
  readonly head: number;
  /** Events that came before their turn, by position. */
  readonly waiting: ReadonlyMap<number, RecordedEvent>;
}

export interface Step {
  readonly feed: Feed;
  /** To apply now, in order. */
  readonly ready: readonly RecordedEvent[];
}

/** What waits beyond this many events is read from the server again when its turn has come. */
export const maxWaitingEvents = 1_000;

export const emptyFeed: Feed = { position: null, head: 0, waiting: new Map() };

/** Takes events in, and notes that positions up to `head` exist: a message may come without its events. */
export function receive(feed: Feed, events: readonly RecordedEvent[], head: number): Step {
  const waiting = new Map(feed.waiting);
  for (const event of events) waiting.set(event.position, event);
  return release({ ...feed, head: Math.max(feed.head, head), waiting });
}

/** The client's state is now that of `position`, from elsewhere. A position that is behind changes nothing. */
export function hydrated(feed: Feed, position: number): Step {
  if (feed.position !== null && position <= feed.position) return { feed, ready: [] };
  return release({ ...feed, position, head: Math.max(feed.head, position) });
}

/** Whether events are known to exist that have not come. */
export function hasGap(feed: Feed): boolean {
  return feed.position !== null && feed.position < feed.head;
}

function release(feed: Feed): Step {
  if (feed.position === null) return { feed: { ...feed, waiting: limit(feed.waiting) }, ready: [] };
  const waiting = new Map([...feed.waiting].filter(([position]) => position > feed.position!));
  const ready: RecordedEvent[] = [];
  let position = feed.position;
  for (let next = waiting.get(position + 1); next !== undefined; next = waiting.get(position + 1)) {
    ready.push(next);
    position += 1;
    waiting.delete(position);
  }
  return { feed: { ...feed, position, waiting: limit(waiting) }, ready };
}

/** Keeps the events whose turn comes first. */
function limit(waiting: ReadonlyMap<number, RecordedEvent>): ReadonlyMap<number, RecordedEvent> {
  if (waiting.size <= maxWaitingEvents) return waiting;
  return new Map([...waiting].toSorted(([one], [other]) => one - other).slice(0, maxWaitingEvents));
}
