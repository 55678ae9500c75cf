import { type Rejection, type Result, reject } from '../domain/kernel/result.ts';
import type { DomainMessage } from '../domain/kernel/decider.ts';
import type { RegisteredSlice } from '../domain/kernel/slice.ts';
import type { VersionedMessage } from '../domain/kernel/upcast.ts';
import { findSlice } from '../domain/registry.ts';
import type { CommandToDecide, NewEvent, Stream } from '../ports/command-store.ts';
import { ReleaseOutdated } from '../ports/errors.ts';
import { readMessage } from './read-message.ts';

/** An aggregate as of a version. */
export interface Aggregate {
  readonly slice: RegisteredSlice;
  readonly state: unknown;
  readonly version: number;
}

/** Throws if no slice is registered for the type, and `ReleaseOutdated` if the stream has events of a newer release. */
export function aggregateOf(aggregateType: string, { snapshot, events }: Stream): Aggregate {
  const slice = findSlice(aggregateType);
  if (slice === undefined) throw new Error(`No slice is registered for the aggregate type ${aggregateType}.`);
  const start = snapshot ?? { state: slice.decider.initialState, version: 0 };
  return evolve({ slice, state: start.state, version: start.version }, events);
}

/** The aggregate after these events, of whatever schema version. Throws `ReleaseOutdated`. */
export function evolve(aggregate: Aggregate, events: readonly VersionedMessage[]): Aggregate {
  const { slice } = aggregate;
  const state = events.reduce<unknown>((current, event) => slice.decider.evolve(current, readMessage(slice, event)), aggregate.state);
  return { ...aggregate, state, version: aggregate.version + events.length };
}

/**
 * What the domain says to a command. Throws if the slice has no such command, `ReleaseOutdated` if a newer release has sent
 * it, and whatever a bug throws.
 */
export function decide(
  command: CommandToDecide,
  { slice, state, version }: Aggregate,
  { tenantId, now }: { readonly tenantId: string; readonly now: string },
): Result<readonly NewEvent[], Rejection> {
  const { type, commandId, expectedVersion, aggregateId } = command;
  const { userId, role } = command.actor;
  if (role === null) return reject('NOT_ALLOWED', 'Who sent the command is no member of the tenant any more.');
  const definition = slice.commands[type];
  if (definition === undefined) throw new Error(`The slice ${slice.aggregateType} has no command ${type}.`);
  const current = inCurrentVersion(slice, command);
  if (!current.ok) return current;
  const payload = definition.payload.safeParse(current.value);
  if (!payload.success) return invalidPayload(payload.error.issues);
  if (expectedVersion !== null && expectedVersion !== version) return conflict(expectedVersion, version);
  const decision = slice.decider.decide({ type, payload: payload.data }, state, { now, actor: { userId, role }, tenantId, commandId, aggregateId });
  if (!decision.ok) return decision;
  return { ok: true, value: decision.value.map((event) => newEvent(slice, event)) };
}

function newEvent({ aggregateType, events }: RegisteredSlice, { type, payload }: DomainMessage): NewEvent {
  const definition = events[type];
  if (definition === undefined) throw new Error(`The slice ${aggregateType} has no event ${type}.`);
  return { type, schemaVersion: definition.schemaVersion, payload };
}

/** The payload of a command that has waited since an older release. Nobody has held it against that release's schema. */
function inCurrentVersion(slice: RegisteredSlice, { type, schemaVersion, payload }: CommandToDecide): Result<unknown, Rejection> {
  try {
    return { ok: true, value: readMessage(slice, { type, schemaVersion, payload }).payload };
  } catch (error) {
    if (error instanceof ReleaseOutdated) throw error;
    return reject('INVALID_PAYLOAD', `The payload, of schema version ${schemaVersion}, cannot be read any more.`);
  }
}

function invalidPayload(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]) {
  const errors = issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  return reject('INVALID_PAYLOAD', 'The payload does not fit its schema.', { errors });
}

function conflict(expectedVersion: number, actualVersion: number) {
  return reject('CONFLICT', `The command expected version ${expectedVersion}, but the aggregate is at version ${actualVersion}.`, {
    expectedVersion,
    actualVersion,
  });
}
