import type { CommandStore, Stream } from '../ports/command-store.ts';
import type { Logger } from '../ports/logger.ts';
import { type Aggregate, isSnapshotDue } from './decide-command.ts';

export interface SaveSnapshotDeps {
  readonly store: CommandStore;
  readonly log: Logger;
}

/** Saves a snapshot where one is due. Never throws: the commands have ended by now, and are not to be executed again for it. */
export function createSaveSnapshot({ store, log }: SaveSnapshotDeps) {
  return async (tenantId: string, aggregateId: string, { slice, state, version }: Aggregate, loaded: Stream): Promise<void> => {
    if (!isSnapshotDue(loaded, version)) return;
    const { aggregateType, stateVersion } = slice;
    try {
      await store.saveSnapshot({ tenantId, aggregateType, aggregateId, version, stateVersion, state });
    } catch (error) {
      log.warn({ tenantId, aggregateType, aggregateId, err: error }, 'A snapshot could not be saved');
    }
  };
}
