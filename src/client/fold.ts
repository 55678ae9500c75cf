import { FollowError } from './errors.ts';
import type { RecordedEvent } from './feed.ts';
import type { ReadableSlice } from './slices.ts';

/** The state after one more event. Throws `FollowError` where this build cannot read it: a guess would be a wrong state. */
export function evolve({ slice, reads }: ReadableSlice, state: unknown, event: RecordedEvent): unknown {
  const { type, payload, schemaVersion, version, aggregateType, aggregateId } = event;
  const which = `${type}, schema version ${schemaVersion}, at version ${version} of ${aggregateType} ${aggregateId}`;
  const newest = Object.hasOwn(reads, type) ? reads[type]! : 0;
  if (schemaVersion > newest) {
    throw new FollowError('UNKNOWN_EVENT', `This client is older than the event ${which}: load the app anew.`);
  }
  try {
    return slice.decider.evolve(state, { type, payload });
  } catch (cause) {
    throw new FollowError('UNREADABLE_EVENT', `This client cannot apply the event ${which}.`, { cause });
  }
}

export function fold(
  readable: ReadableSlice,
  events: readonly RecordedEvent[],
  start = readable.slice.decider.initialState,
): unknown {
  return events.reduce((state, event) => evolve(readable, state, event), start);
}
