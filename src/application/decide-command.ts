import { type Rejection, type Result, reject } from '../domain/kernel/result.ts';
import type { DomainMessage } from '../domain/kernel/decider.ts';
import type { Slice } from '../domain/kernel/slice.ts';
import { findSlice } from '../domain/registry.ts';
import type { CommandToDecide, NewEvent, RecordedEvent, Stream } from '../ports/command-store.ts';

/** A snapshot is due each time a stream has grown by so many events. */
const snapshotEveryEvents = 100;

/** An aggregate as of a version. */
export interface Aggregate {
  readonly slice: Slice;
  readonly state: unknown;
  readonly version: number;
}

/** Throws where no slice is registered for the type. */
export function aggregateOf(aggregateType: string, { snapshot, events }: Stream): Aggregate {
  const slice = findSlice(aggregateType);
  if (slice === undefined) throw new Error(`No slice is registered for the aggregate type ${aggregateType}.`);
  const start = snapshot ?? { state: slice.decider.initialState, version: 0 };
  return evolve({ slice, state: start.state, version: start.version }, events);
}

/** The aggregate after these events. */
export function evolve(aggregate: Aggregate, events: readonly (DomainMessage | RecordedEvent)[]): Aggregate {
  const { decider } = aggregate.slice;
  const state = events.reduce<unknown>((current, event) => decider.evolve(current, event), aggregate.state);
  return { ...aggregate, state, version: aggregate.version + events.length };
}

/** What the domain says to a command. Throws where the slice has no such command, and whatever a bug throws. */
export function decide(
  command: CommandToDecide,
  { slice, state, version }: Aggregate,
  { tenantId, now }: { readonly tenantId: string; readonly now: string },
): Result<readonly NewEvent[], Rejection> {
  const { type, commandId, expectedVersion, actor, aggregateId } = command;
  const payload = slice.commands[type]?.payload.safeParse(command.payload);
  if (payload === undefined) throw new Error(`The slice ${slice.aggregateType} has no command ${type}.`);
  if (!payload.success) return invalidPayload(payload.error.issues);
  if (expectedVersion !== null && expectedVersion !== version) return conflict(expectedVersion, version);
  const decision = slice.decider.decide({ type, payload: payload.data }, state, { now, actor, tenantId, commandId, aggregateId });
  if (!decision.ok) return decision;
  return { ok: true, value: decision.value.map((event) => ({ type: event.type, schemaVersion: 1, payload: event.payload })) };
}

export function isSnapshotDue({ snapshot }: Stream, version: number): boolean {
  return version - (snapshot?.version ?? 0) >= snapshotEveryEvents;
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
