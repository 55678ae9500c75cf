import type { Slice } from '../domain/kernel/slice.ts';
import { upcast, type VersionedMessage } from '../domain/kernel/upcast.ts';
import { findSlice } from '../domain/registry.ts';
import { ReleaseOutdated } from '../ports/errors.ts';

/** A stored event or command as the code of this release reads it. Throws `ReleaseOutdated` if a newer one has written it. */
export function readMessage<Message extends VersionedMessage>(slice: Slice, message: Message): Message {
  const read = upcast(slice, message);
  if (read !== 'newer') return read;
  throw new ReleaseOutdated(`${message.type} of schema version ${message.schemaVersion} is newer than this release.`);
}

/** The same for one of any slice's. */
export function readEvent<Event extends VersionedMessage & { readonly aggregateType: string }>(event: Event): Event {
  const slice = findSlice(event.aggregateType);
  if (slice === undefined) throw new ReleaseOutdated(`This release knows no aggregate type ${event.aggregateType}.`);
  return readMessage(slice, event);
}
