import { type Rejection, reject } from '../domain/kernel/result.ts';
import type { Slice } from '../domain/kernel/slice.ts';
import { findSlice, stateVersions } from '../domain/registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { CommandReference } from '../ports/command-queue.ts';
import type { CommandStatus, CommandStore, LoadedCommand, Stream } from '../ports/command-store.ts';
import { CommandSettled, ConcurrencyConflict } from '../ports/errors.ts';
import type { Logger } from '../ports/logger.ts';

/** A stream that moves on between load and append this often is left to the engine's slower retries. */
const maxDecisions = 5;
/** A snapshot is due each time a stream has grown by so many events. */
const snapshotEveryEvents = 100;

export interface HandleCommandDeps {
  readonly store: CommandStore;
  readonly clock: Clock;
  readonly log: Logger;
}

export type HandleCommand = (command: CommandReference) => Promise<CommandStatus>;

/**
 * Executes one command: load, decide, append and settle. Safe to repeat at any point, because the store settles a command once.
 * Answers how it ended. Throws `StoreUnavailable` and `ConcurrencyConflict`, which pass; anything else is a bug.
 */
export function createHandleCommand({ store, clock, log }: HandleCommandDeps): HandleCommand {
  async function handleOnce(reference: CommandReference): Promise<CommandStatus> {
    const command = await store.load(reference, stateVersions);
    if (command === null) throw new Error(`There is no command ${reference.commandId} in tenant ${reference.tenantId}.`);
    if (command.status !== 'pending' && command.status !== 'dispatched') return command.status;

    const slice = sliceOf(command);
    const state = fold(slice, command.stream);
    const decision = decide(slice, command, state, reference);
    if (!decision.ok) {
      await store.reject(reference, decision.rejection);
      return 'rejected';
    }
    const events = decision.value.map(({ type, payload }) => ({ type, schemaVersion: 1, payload }));
    const appended = await store.append(reference, command, command.stream.version, events);
    if (!appended.duplicate) {
      await saveSnapshotWhereDue(slice, command, appended.lastVersion, decision.value.reduce(slice.decider.evolve, state), reference);
    }
    return 'succeeded';
  }

  function decide(slice: Slice, command: LoadedCommand, state: unknown, { tenantId, commandId }: CommandReference) {
    const { stream, expectedVersion, actor, aggregateId } = command;
    const payload = slice.commands[command.type]?.payload.safeParse(command.payload);
    if (payload === undefined) throw new Error(`The slice ${slice.aggregateType} has no command ${command.type}.`);
    if (!payload.success) return invalidPayload(payload.error.issues);
    if (expectedVersion !== null && expectedVersion !== stream.version) return conflict(expectedVersion, stream.version);
    const context = { now: clock.now(), actor, tenantId, commandId, aggregateId };
    return slice.decider.decide({ type: command.type, payload: payload.data }, state, context);
  }

  /** The command has ended by now: a snapshot that cannot be written is no reason to execute it again. */
  async function saveSnapshotWhereDue(
    slice: Slice,
    command: LoadedCommand,
    version: number,
    state: unknown,
    { tenantId }: CommandReference,
  ): Promise<void> {
    const { aggregateType, aggregateId, stream } = command;
    if (version - (stream.snapshot?.version ?? 0) < snapshotEveryEvents) return;
    try {
      await store.saveSnapshot({ tenantId, aggregateType, aggregateId, version, stateVersion: slice.stateVersion, state });
    } catch (error) {
      log.warn({ tenantId, aggregateType, aggregateId, err: error }, 'A snapshot could not be saved');
    }
  }

  return async (reference) => {
    for (let decisions = 1; ; decisions += 1) {
      try {
        return await handleOnce(reference);
      } catch (error) {
        // Settled by another execution meanwhile: the next load tells how.
        const isOvertaken = error instanceof ConcurrencyConflict || error instanceof CommandSettled;
        if (!isOvertaken || decisions === maxDecisions) throw error;
      }
    }
  };
}

function sliceOf({ aggregateType }: LoadedCommand): Slice {
  const slice = findSlice(aggregateType);
  if (slice === undefined) throw new Error(`No slice is registered for the aggregate type ${aggregateType}.`);
  return slice;
}

function fold(slice: Slice, stream: Stream): unknown {
  const start = stream.snapshot === null ? slice.decider.initialState : stream.snapshot.state;
  return stream.events.reduce<unknown>((state, event) => slice.decider.evolve(state, event), start);
}

function invalidPayload(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]) {
  const errors = issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  return reject('INVALID_PAYLOAD', 'The payload does not fit its schema.', { errors });
}

function conflict(expectedVersion: number, actualVersion: number): { readonly ok: false; readonly rejection: Rejection } {
  return reject('CONFLICT', `The command expected version ${expectedVersion}, but the aggregate is at version ${actualVersion}.`, {
    expectedVersion,
    actualVersion,
  });
}
