import { stateVersions } from '../domain/registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { CommandReference } from '../ports/command-queue.ts';
import type { CommandStatus, CommandStore, LoadedCommand } from '../ports/command-store.ts';
import { CommandSettled, ConcurrencyConflict } from '../ports/errors.ts';
import { decide } from './decide-command.ts';
import { createStreamFolder } from './fold-stream.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';

/** A stream that moves on between decision and append this often is left to the engine's slower retries. */
const maxDecisions = 5;

export interface HandleCommandDeps {
  readonly store: CommandStore;
  readonly snapshots: SnapshotWriter;
  readonly clock: Clock;
  /** See `createStreamFolder`. */
  readonly longestFoldMs?: number;
}

export type HandleCommand = (command: CommandReference) => Promise<CommandStatus>;

/**
 * Executes one command: load, decide, append and settle. Safe to repeat at any point, because the store settles a command once.
 * Returns how it ended. Throws `StoreUnavailable`, `ConcurrencyConflict`, `FoldUnfinished` and
 * `ReleaseOutdated`, which pass; anything else is a bug.
 */
export function createHandleCommand(deps: HandleCommandDeps): HandleCommand {
  const { store, snapshots, clock } = deps;
  const folder = createStreamFolder(deps);

  async function handle(reference: CommandReference): Promise<CommandStatus> {
    const command = await load(reference);
    if (hasEnded(command)) return command.status;
    const { tenantId, commandId } = reference;
    const stream = { tenantId, aggregateType: command.aggregateType, aggregateId: command.aggregateId };
    let aggregate = await folder.fold(stream, command.stream);
    for (let decisions = 1; decisions <= maxDecisions; decisions += 1) {
      const decision = decide(command, aggregate, { tenantId, now: clock.now() });
      if (!decision.ok) {
        await store.reject(reference, decision.rejection);
        snapshots.offer(tenantId, command.aggregateId, aggregate, command.stream);
        return 'rejected';
      }
      const result = await store.append(reference, command, aggregate.version, decision.value);
      if (!('missed' in result)) {
        if (!result.duplicate) {
          snapshots.offer(tenantId, command.aggregateId, await folder.evolve(aggregate, decision.value), command.stream);
        }
        return 'succeeded';
      }
      aggregate = await folder.catchUp(stream, aggregate, { version: result.version, events: result.missed });
    }
    throw new ConcurrencyConflict(`The stream of command ${commandId} has moved on ${maxDecisions} times.`);
  }

  async function load(reference: CommandReference): Promise<LoadedCommand> {
    const command = await store.load(reference, stateVersions);
    if (command === null) throw new Error(`There is no command ${reference.commandId} in tenant ${reference.tenantId}.`);
    return command;
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
