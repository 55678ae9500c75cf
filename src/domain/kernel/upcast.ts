import type { DomainMessage } from './decider.ts';
import type { Slice } from './slice.ts';

/**
 * By the type of an event or command and a schema version: what makes of a payload of that version one of the next. Pure, and
 * kept for ever, because a log is: what it needs of an old schema it must bring along.
 */
export type Upcasters = Readonly<Record<string, Readonly<Record<number, (payload: never) => unknown>>>>;

export interface VersionedMessage extends DomainMessage {
  readonly schemaVersion: number;
}

/**
 * A stored message as this release's code reads it, its payload brought to the current schema version. `newer`: a newer release
 * has written it, by its version or by its type, and what it means cannot be guessed.
 */
export function upcast<Message extends VersionedMessage>({ commands, events, upcasters }: Slice, message: Message): Message | 'newer' {
  const { type } = message;
  const known = [commands, events].find((definitions) => Object.hasOwn(definitions, type))?.[type];
  if (known === undefined || message.schemaVersion > known.schemaVersion) return 'newer';
  let { payload } = message;
  for (let version = message.schemaVersion; version < known.schemaVersion; version += 1) {
    const next = upcasters[type]?.[version];
    if (next === undefined) throw new Error(`There is no upcaster for ${type} from schema version ${version}.`);
    payload = next(payload as never);
  }
  return { ...message, schemaVersion: known.schemaVersion, payload };
}
