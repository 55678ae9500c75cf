import type { ClaimedProcess } from './process-queue.ts';

/** Tells an engine that an instance has something to do. */
export interface ProcessWaker {
  /** Resolves once the engine will advance the instance. A second call is harmless. Throws if the engine cannot be reached. */
  wake(process: ClaimedProcess): Promise<void>;
}
