import type { Slice } from '../domain/kernel/slice.ts';
import type { Stream } from './api.ts';
import { FollowError } from './errors.ts';
import { evolve } from './fold.ts';

/** For so long at most a fold keeps the page's only thread to itself. */
const sliceMs = 10;

export interface Folded<Page extends Stream> {
  readonly state: unknown;
  /** The last one: its version is that of the state. */
  readonly last: Page;
  readonly commandIds: readonly (string | undefined)[];
}

/**
 * Folds a stream that comes in pages, however long it is and however slow its `evolve`. A log only grows, so that a later page fits to
 * those before. Throws `FollowError`.
 */
export async function foldPages<Page extends Stream>(
  slice: Slice,
  start: { readonly state: unknown; readonly version: number; readonly page: Page },
  readPage: (afterVersion: number) => Promise<Page>,
): Promise<Folded<Page>> {
  let { state, version, page } = start;
  const commandIds: (string | undefined)[] = [];
  let sliceEndsAt = performance.now() + sliceMs;
  for (;;) {
    for (const event of page.events) {
      if (performance.now() >= sliceEndsAt) {
        await new Promise((resolve) => setTimeout(resolve));
        sliceEndsAt = performance.now() + sliceMs;
      }
      state = evolve(slice, state, event);
      version = event.version;
      commandIds.push(event.metadata.commandId);
    }
    if (version === page.version) return { state, last: page, commandIds };
    // Not there, or no longer, as when a database is restored at this moment: the whole is read anew.
    if (version > page.version || page.events.length === 0) {
      throw new FollowError('UNAVAILABLE', `The server has no version ${version + 1} of ${slice.aggregateType}, of ${page.version}.`);
    }
    page = await readPage(version);
  }
}
