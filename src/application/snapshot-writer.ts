import type { CommandStore, SnapshotToSave, Stream } from '../ports/command-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { Aggregate } from './decide-command.ts';

/** Of as many streams; what is offered beyond is due again with the next append to its stream. */
const maxWaiting = 100;

export interface SnapshotWriterDeps {
  readonly store: CommandStore;
  readonly log: Logger;
}

/** Writes snapshots one after the other, while the commands that have led to them are over already. */
export interface SnapshotWriter {
  /** Has a snapshot written if one is due by now. Never throws and never waits: a snapshot may be left out at any time. */
  offer(tenantId: string, aggregateId: string, aggregate: Aggregate, loaded: Stream): void;
  /** Resolves when all that was offered is written, or given up. */
  drain(): Promise<void>;
}

export function createSnapshotWriter({ store, log }: SnapshotWriterDeps): SnapshotWriter {
  const waiting = new Map<string, SnapshotToSave>();
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    for (const [stream, snapshot] of waiting) {
      waiting.delete(stream);
      await write(snapshot);
    }
    writing = undefined;
  }

  async function write(snapshot: SnapshotToSave): Promise<void> {
    try {
      await store.saveSnapshot(snapshot);
    } catch (error) {
      const { tenantId, aggregateType, aggregateId } = snapshot;
      log.warn({ tenantId, aggregateType, aggregateId, err: error }, 'A snapshot could not be saved');
    }
  }

  return {
    offer(tenantId, aggregateId, { slice, state, version }, loaded) {
      if (version - (loaded.snapshot?.version ?? 0) < slice.snapshotEvery) return;
      const { aggregateType, stateVersion } = slice;
      const stream = JSON.stringify([tenantId, aggregateType, aggregateId]);
      const before = waiting.get(stream);
      if (before === undefined ? waiting.size >= maxWaiting : before.version > version) return;
      waiting.set(stream, { tenantId, aggregateType, aggregateId, version, stateVersion, state });
      writing ??= writeAll();
    },

    async drain() {
      await writing;
    },
  };
}
