import type { Slice } from '../domain/kernel/slice.ts';
import { upcast } from '../domain/kernel/upcast.ts';
import { FollowError } from './errors.ts';
import type { RecordedEvent } from './feed.ts';

/** The state after one more event. Throws `FollowError` if this build cannot read it: a guess would be a wrong state. */
export function evolve(slice: Slice, state: unknown, event: RecordedEvent): unknown {
  const { type, schemaVersion, version, aggregateType, aggregateId } = event;
  const which = `${type}, schema version ${schemaVersion}, at version ${version} of ${aggregateType} ${aggregateId}`;
  try {
    const readable = upcast(slice, event);
    if (readable !== 'newer') return slice.decider.evolve(state, readable);
  } catch (cause) {
    throw new FollowError('UNREADABLE_EVENT', `This client cannot apply the event ${which}.`, { cause });
  }
  throw new FollowError('UNKNOWN_EVENT', `This client is older than the event ${which}: load the app anew.`);
}

export function fold(slice: Slice, events: readonly RecordedEvent[], start = slice.decider.initialState): unknown {
  return events.reduce((state, event) => evolve(slice, state, event), start);
}
