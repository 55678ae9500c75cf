import type { Connection } from './connection.ts';
import type { Store } from './store.ts';

/** The newest snapshot, again and again, from the first loaded one on. Throws what closed it. */
export async function* iterate<Snapshot extends { readonly position: number | null; readonly connection: Connection }>(
  store: Store<Snapshot>,
): AsyncGenerator<Snapshot, void, undefined> {
  let seen: Snapshot | undefined;
  for (;;) {
    const change = store.nextChange();
    const snapshot = store.getSnapshot();
    if (snapshot.connection.status === 'closed') return ended(snapshot.connection);
    if (snapshot.position === null || snapshot === seen) {
      await change;
    } else {
      seen = snapshot;
      yield snapshot;
    }
  }
}

export function ended({ error }: Connection): void {
  if (error !== null) throw error;
}
