import { replicationCheckMs, replicationPatienceMs } from './limits.ts';

export interface ReplicationWatch {
  readonly isStreaming: () => boolean;
  readonly onReady: () => void;
  /** It does not stand after a minute. */
  readonly onImpatience: () => void;
}

/** Tells once that broadcasts are streamed: now or when they are. Returns how to stop. */
export function watchReplication({ isStreaming, onReady, onImpatience }: ReplicationWatch): () => void {
  if (isStreaming()) {
    onReady();
    return () => {};
  }
  const impatientAt = performance.now() + replicationPatienceMs;
  const timer = setInterval(() => {
    const ready = isStreaming();
    if (!ready && performance.now() < impatientAt) return;
    clearInterval(timer);
    if (ready) onReady();
    else onImpatience();
  }, replicationCheckMs);
  return () => clearInterval(timer);
}
