import type { VersionedMessage } from '../domain/kernel/upcast.ts';
import type { Clock } from '../ports/clock.ts';
import type { CommandStore, Stream } from '../ports/command-store.ts';
import { FoldUnfinished } from '../ports/errors.ts';
import { type Aggregate, aggregateOf, evolve as evolveAll } from './decide-command.ts';
import { sliceOfTime } from './slice-of-time.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';

/** Less than an engine gives one execution, the rest of it included. */
const defaultLongestMs = 8_000;
const snapshotEveryMs = 2_000;

export interface FoldStreamDeps {
  readonly store: CommandStore;
  readonly snapshots: SnapshotWriter;
  readonly clock: Clock;
  /** One attempt folds for so long, and the next goes on from its snapshot. (Default: 8,000) */
  readonly longestFoldMs?: number;
}

export interface StreamReference {
  readonly tenantId: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
}

/** Folds streams of any length, by however slow an `evolve`, in slices of time. Both throw `ReleaseOutdated` and `FoldUnfinished`. */
export interface StreamFolder {
  /** Reads on if these are the first of its events. Throws also if no slice is registered for the type. */
  fold(reference: StreamReference, stream: Stream): Promise<Aggregate>;
  /** The aggregate after these events, and after those that follow them up to a version. */
  catchUp(reference: StreamReference, aggregate: Aggregate, more: Omit<Stream, 'snapshot'>): Promise<Aggregate>;
  /** The aggregate after events that are decided and not stored. */
  evolve(aggregate: Aggregate, events: readonly VersionedMessage[]): Promise<Aggregate>;
}

export function createStreamFolder({ store, snapshots, clock, longestFoldMs = defaultLongestMs }: FoldStreamDeps): StreamFolder {
  async function evolve(
    aggregate: Aggregate,
    events: readonly VersionedMessage[],
    onBreath: (soFar: Aggregate) => Promise<void> | void = () => {},
  ): Promise<Aggregate> {
    const slice = sliceOfTime(clock);
    let soFar = aggregate;
    for (const event of events) {
      if (slice.isOver()) {
        await onBreath(soFar);
        await slice.next();
      }
      soFar = evolveAll(soFar, [event]);
    }
    return soFar;
  }

  async function readOn(reference: StreamReference, begin: Aggregate, loaded: Stream): Promise<Aggregate> {
    const { tenantId, aggregateId } = reference;
    const startedAt = performance.now();
    let savedAt = startedAt;

    async function onBreath(soFar: Aggregate): Promise<void> {
      const now = performance.now();
      if (now - startedAt >= longestFoldMs) return giveWay(soFar);
      if (now - savedAt < snapshotEveryMs) return;
      snapshots.offer(tenantId, aggregateId, soFar, loaded);
      savedAt = now;
    }

    async function giveWay({ slice, state, version }: Aggregate): Promise<never> {
      const { aggregateType, stateVersion } = slice;
      if (version > begin.version) await store.saveSnapshot({ tenantId, aggregateType, aggregateId, version, stateVersion, state });
      throw new FoldUnfinished(`Version ${version} of ${aggregateType} ${aggregateId} is reached; it goes on from there.`);
    }

    let aggregate = await evolve(begin, loaded.events, onBreath);
    for (let end = loaded.version; aggregate.version < end; ) {
      const page = await store.loadEvents(reference, aggregate.version);
      if (page.events.length === 0) throw new Error(`${reference.aggregateType} ${aggregateId} has no version ${aggregate.version + 1}.`);
      aggregate = await evolve(aggregate, page.events, onBreath);
      end = page.version;
    }
    return aggregate;
  }

  return {
    fold: async (reference, stream) => readOn(reference, aggregateOf(reference.aggregateType, { ...stream, events: [] }), stream),
    catchUp: async (reference, aggregate, more) => readOn(reference, aggregate, { ...more, snapshot: aggregate }),
    evolve: (aggregate, events) => evolve(aggregate, events),
  };
}
