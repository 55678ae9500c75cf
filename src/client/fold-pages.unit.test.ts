import { describe, expect, it } from 'vitest';
import type { Slice } from '../domain/kernel/slice.ts';
import type { RecordedEvent } from './feed.ts';
import { foldPages } from './fold-pages.ts';
import { slices } from './slices.ts';

function limit(version: number): RecordedEvent {
  const [type, payload] = version === 1 ? ['BudgetOpened', { name: 'Groceries', limit: 1 }] : ['BudgetLimitChanged', { limit: version }];
  return { position: version, aggregateType: 'budget', aggregateId: 'groceries', version, type, schemaVersion: 1, payload, metadata: { commandId: `${version}` }, recordedAt: '' };
}

/** A stream that has grown by one event each time that it is read. */
function stream(length: number, pageSize: number) {
  let reads = 0;
  return async (afterVersion: number) => {
    const version = length + reads;
    reads += 1;
    const count = Math.min(pageSize, version - afterVersion);
    return { version, position: version, events: Array.from({ length: count }, (_, n) => limit(afterVersion + n + 1)) };
  };
}

const slice: Slice = slices.budget;
const begin = { state: slice.decider.initialState, version: 0 };

describe('a stream in pages', () => {
  it('is folded to the version that the last page tells, whatever was written meanwhile', async () => {
    const readPage = stream(2_600, 500);
    const { state, last, commandIds } = await foldPages(slice, { ...begin, page: await readPage(0) }, readPage);
    expect({ state, version: last.version, position: last.position }).toMatchObject({ state: { limit: last.version }, version: 2_605, position: 2_605 });
    expect(commandIds).toHaveLength(last.version);
  });

  it('lets the page go on meanwhile, also where each event is slow', async () => {
    const readPage = stream(400, 400);
    let [folded, before, most] = [0, 0, 0];
    const slow: Slice = {
      ...slice,
      decider: {
        ...slice.decider,
        evolve(state, event) {
          for (const until = performance.now() + 0.5; performance.now() < until; );
          folded += 1;
          return slice.decider.evolve(state, event);
        },
      },
    };
    const timer = setInterval(() => {
      most = Math.max(most, folded - before);
      before = folded;
    });
    await foldPages(slow, { ...begin, page: await readPage(0) }, readPage);
    clearInterval(timer);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(100);
  });

  it.each([
    ['a page is empty though the stream goes on', { version: 9, position: 9, events: [] }],
    ['the stream is shorter than before', { version: 1, position: 1, events: [] }],
  ])('is read anew where %s: a part is never taken for the whole', async (_what, next) => {
    const page = { version: 9, position: 9, events: [limit(1), limit(2)] };
    await expect(foldPages(slice, { ...begin, page }, async () => next)).rejects.toMatchObject({ name: 'FollowError', code: 'UNAVAILABLE' });
  });
});
