import { createSignal } from './signal.ts';

/** What React's `useSyncExternalStore` takes: a snapshot is the same object until something has changed. */
export interface ReadableStore<Snapshot> {
  getSnapshot(): Snapshot;
  /** The result ends it. */
  subscribe(listener: () => void): () => void;
}

export interface Store<Snapshot> extends ReadableStore<Snapshot> {
  /** Says that the snapshot has changed; the new one is made when somebody asks for it. */
  invalidate(): void;
  nextChange(): Promise<void>;
}

export function createStore<Snapshot>(makeSnapshot: () => Snapshot): Store<Snapshot> {
  const listeners = new Set<() => void>();
  const change = createSignal();
  let current: { readonly snapshot: Snapshot } | undefined;
  return {
    getSnapshot: () => (current ??= { snapshot: makeSnapshot() }).snapshot,
    subscribe(listener) {
      // Its own function, so that one that is subscribed twice is called twice.
      const own = () => listener();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    invalidate() {
      current = undefined;
      change.fire();
      for (const listener of listeners) listener();
    },
    nextChange: change.next,
  };
}
