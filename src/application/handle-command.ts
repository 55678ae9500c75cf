import { type Rejection, reject } from '../domain/kernel/result.ts';
import type { Slice } from '../domain/kernel/slice.ts';
import { findSlice, stateVersions } from '../domain/registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { CommandReference } from '../ports/command-queue.ts';
import type { CommandStatus, CommandStore, LoadedCommand, RecordedEvent } from '../ports/command-store.ts';
import { CommandSettled, ConcurrencyConflict } from '../ports/errors.ts';
import type { Logger } from '../ports/logger.ts';

/** A stream that moves on between decision and append this often is left to the engine's slower retries. */
const maxDecisions = 5;
/** A snapshot is due each time a stream has grown by so many events. */
const snapshotEveryEvents = 100;

export interface HandleCommandDeps {
  readonly store: CommandStore;
  readonly clock: Clock;
  readonly log: Logger;
}

export type HandleCommand = (command: CommandReference) => Promise<CommandStatus>;

/** A command with its aggregate as of a version. */
interface Situation {
  readonly reference: CommandReference;
  readonly command: LoadedCommand;
  readonly slice: Slice;
  readonly state: unknown;
  readonly version: number;
}

/**
 * Executes one command: load, decide, append and settle. Safe to repeat at any point, because the store settles a command once.
 * Answers how it ended. Throws `StoreUnavailable` and `ConcurrencyConflict`, which pass; anything else is a bug.
 */
export function createHandleCommand({ store, clock, log }: HandleCommandDeps): HandleCommand {
  async function handle(reference: CommandReference): Promise<CommandStatus> {
    const command = await load(reference);
    if (hasEnded(command)) return command.status;
    let situation = situationOf(reference, command);
    for (let decisions = 1; decisions <= maxDecisions; decisions += 1) {
      const decision = decide(situation);
      if (!decision.ok) {
        await store.reject(reference, decision.rejection);
        return 'rejected';
      }
      const events = decision.value.map(({ type, payload }) => ({ type, schemaVersion: 1, payload }));
      const result = await store.append(reference, command, situation.version, events);
      if (!('missed' in result)) {
        const { decider } = situation.slice;
        const after = { ...situation, state: decision.value.reduce(decider.evolve, situation.state), version: result.lastVersion };
        if (!result.duplicate) await saveSnapshotWhereDue(after);
        return 'succeeded';
      }
      situation = catchUp(situation, result.missed);
    }
    throw new ConcurrencyConflict(`The stream of command ${reference.commandId} has moved on ${maxDecisions} times.`);
  }

  async function load(reference: CommandReference): Promise<LoadedCommand> {
    const command = await store.load(reference, stateVersions);
    if (command === null) throw new Error(`There is no command ${reference.commandId} in tenant ${reference.tenantId}.`);
    return command;
  }

  function decide({ reference: { tenantId, commandId }, command, slice, state, version }: Situation) {
    const { expectedVersion, actor, aggregateId } = command;
    const payload = slice.commands[command.type]?.payload.safeParse(command.payload);
    if (payload === undefined) throw new Error(`The slice ${slice.aggregateType} has no command ${command.type}.`);
    if (!payload.success) return invalidPayload(payload.error.issues);
    if (expectedVersion !== null && expectedVersion !== version) return conflict(expectedVersion, version);
    const context = { now: clock.now(), actor, tenantId, commandId, aggregateId };
    return slice.decider.decide({ type: command.type, payload: payload.data }, state, context);
  }

  /** The command has ended by now: a snapshot that cannot be written is no reason to execute it again. */
  async function saveSnapshotWhereDue({ reference: { tenantId }, command, slice, state, version }: Situation): Promise<void> {
    const { aggregateType, aggregateId, stream } = command;
    if (version - (stream.snapshot?.version ?? 0) < snapshotEveryEvents) return;
    try {
      await store.saveSnapshot({ tenantId, aggregateType, aggregateId, version, stateVersion: slice.stateVersion, state });
    } catch (error) {
      log.warn({ tenantId, aggregateType, aggregateId, err: error }, 'A snapshot could not be saved');
    }
  }

  return async (reference) => {
    try {
      return await handle(reference);
    } catch (error) {
      if (!(error instanceof CommandSettled)) throw error;
      // Another execution was faster.
      return (await load(reference)).status;
    }
  };
}

function hasEnded({ status }: LoadedCommand): boolean {
  return status !== 'pending' && status !== 'dispatched';
}

function situationOf(reference: CommandReference, command: LoadedCommand): Situation {
  const slice = findSlice(command.aggregateType);
  if (slice === undefined) throw new Error(`No slice is registered for the aggregate type ${command.aggregateType}.`);
  const { snapshot, events } = command.stream;
  const start = snapshot ?? { state: slice.decider.initialState, version: 0 };
  return catchUp({ reference, command, slice, state: start.state, version: start.version }, events);
}

function catchUp(situation: Situation, events: readonly RecordedEvent[]): Situation {
  const { evolve } = situation.slice.decider;
  const state = events.reduce<unknown>((current, event) => evolve(current, event), situation.state);
  return { ...situation, state, version: situation.version + events.length };
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
