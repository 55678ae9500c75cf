import { stateVersions } from '../domain/registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { CommandStore, DecidedRun, Decision, LoadedRun } from '../ports/command-store.ts';
import { isPassing } from '../ports/errors.ts';
import { type Aggregate, decide } from './decide-command.ts';
import { createStreamFolder } from './fold-stream.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';

/** In one batch, those that wait behind others included: what is in memory at once, and how long a batch takes. */
const maxCommands = 500;
/** In one transaction, which holds its tenant's lock. A run is never torn apart, so the last one may go beyond it. */
const maxDecisionsAtOnce = 250;

export interface HandleBatchDeps {
  readonly store: CommandStore;
  readonly snapshots: SnapshotWriter;
  readonly clock: Clock;
  /** See `createStreamFolder`. */
  readonly longestFoldMs?: number;
}

export interface HandledBatch {
  /** The ids of commands that have ended; of the asked ones and of others that waited behind them. */
  readonly settled: ReadonlySet<string>;
  /** What deciding threw, by the command's id: these are still open. */
  readonly bugs: ReadonlyMap<string, unknown>;
}

/** Executes claimed commands of one tenant. */
export type HandleBatch = (tenantId: string, commandIds: readonly string[]) => Promise<HandledBatch>;

interface Folded {
  readonly loaded: LoadedRun;
  readonly run: DecidedRun;
  readonly after: Aggregate;
  readonly bugs: ReadonlyMap<string, unknown>;
}

/**
 * Load, decide, append and settle for many commands in few round trips. The commands of one aggregate are decided one after the
 * other, each on the state that the one before has left, and settled together: the outcomes are those of `HandleCommand`. What it
 * does not settle (another writer was faster, something is malformed or of a newer release, a stream is long, there is no such slice) it leaves as it was, to be handled
 * one by one. Throws `StoreUnavailable`, which passes: repeat it.
 */
export function createHandleBatch(deps: HandleBatchDeps): HandleBatch {
  const { store, snapshots, clock } = deps;
  const folder = createStreamFolder(deps);

  /** Undefined if the aggregate itself cannot be read. */
  async function fold(tenantId: string, loaded: LoadedRun): Promise<Folded | undefined> {
    const { aggregateType, aggregateId, stream, commands } = loaded;
    const decisions: Decision[] = [];
    const bugs = new Map<string, unknown>();
    try {
      let after = await folder.fold({ tenantId, aggregateType, aggregateId }, stream);
      for (const command of commands) after = await take(command, after);
      return { loaded, run: { aggregateType, aggregateId, expectedVersion: stream.version, decisions }, after, bugs };
    } catch {
      return undefined;
    }

    async function take(command: LoadedRun['commands'][number], aggregate: Aggregate): Promise<Aggregate> {
      const { commandId } = command;
      try {
        const decision = decide(command, aggregate, { tenantId, now: clock.now() });
        const next = decision.ok ? await folder.evolve(aggregate, decision.value) : aggregate;
        decisions.push(decision.ok ? { commandId, events: decision.value } : { commandId, rejection: decision.rejection });
        return next;
      } catch (error) {
        if (isPassing(error)) throw error;
        bugs.set(commandId, error);
        return aggregate;
      }
    }
  }

  /** If something is refused, the rest of its transaction is not: down to the run that it is in. */
  async function settle(tenantId: string, runs: readonly DecidedRun[]): Promise<readonly boolean[]> {
    try {
      return await store.settleBatch(tenantId, runs);
    } catch (error) {
      if (isPassing(error)) throw error;
      if (runs.length === 1) return [false];
      const half = Math.ceil(runs.length / 2);
      return [...(await settle(tenantId, runs.slice(0, half))), ...(await settle(tenantId, runs.slice(half)))];
    }
  }

  return async (tenantId, commandIds) => {
    const maxFollowers = Math.max(0, Math.floor(maxCommands / commandIds.length) - 1);
    const loaded = await store.loadBatch(tenantId, commandIds, maxFollowers, stateVersions);
    const settled = new Set<string>();
    const bugs = new Map<string, unknown>();
    const folded: Folded[] = [];
    for (const run of loaded.filter(({ commands }) => commands.length > 0)) {
      const done = await fold(tenantId, run);
      if (done !== undefined) folded.push(done);
    }
    for (const together of inTransactions(folded)) {
      const answers = await settle(tenantId, together.map(({ run }) => run));
      for (const { loaded: { stream }, run, after, bugs: ofRun } of together.filter((_, index) => answers[index])) {
        for (const { commandId } of run.decisions) settled.add(commandId);
        for (const [commandId, error] of ofRun) bugs.set(commandId, error);
        snapshots.offer(tenantId, run.aggregateId, after, stream);
      }
    }
    return { settled, bugs };
  };
}

function inTransactions(runs: readonly Folded[]): Folded[][] {
  const transactions: Folded[][] = [];
  let decisions = Infinity;
  for (const folded of runs) {
    if (decisions >= maxDecisionsAtOnce) {
      transactions.push([]);
      decisions = 0;
    }
    transactions.at(-1)!.push(folded);
    decisions += folded.run.decisions.length;
  }
  return transactions;
}
