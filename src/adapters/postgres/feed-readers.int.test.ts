import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { append, misnumbered, noted } from '../../testing/appends.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { createRandom, newSeed } from '../../testing/random.ts';
import { claimsOf, connect, createTenant, queryAs, type TestTenant } from '../../testing/tenant.ts';

interface FeedEvent {
  readonly position: number;
  readonly payload: { readonly note: string };
}

interface Page {
  readonly events: readonly FeedEvent[];
  readonly lastPosition: number;
  readonly headPosition: number;
}

/** What a reader has asked for and seen; begin and end count the moments of all readers. */
interface Read {
  readonly after: number;
  readonly page: Page;
  readonly begin: number;
  readonly end: number;
}

let db: ReturnType<typeof connect>;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
afterAll(() => db.end());

const readFeed = async (tenant: TestTenant, after: number, maxEvents: number) => {
  const [row] = await queryAs<{ page: Page }>(db.admin, claimsOf(tenant, 'guest'), 'select api.read_feed($1, $2) as page', [after, maxEvents]);
  return row!.page;
};

describe('readers of the feed, while writers commit and roll back', () => {
  it('see each committed event once, in order and without a gap, nothing of what is rolled back, and never less than before', async () => {
    const seed = newSeed();
    onTestFailed(() => console.log(`seed ${seed}`));
    const tenants = await Promise.all(Array.from({ length: 3 }, () => createTenant(db.admin)));
    const committed = new Map(tenants.map(({ tenantId }) => [tenantId, [] as string[]]));
    let isWriting = true;
    let moment = 0;

    const write = async (writer: number) => {
      const random = createRandom(seed + writer);
      for (let n = 0; n < 15; n += 1) {
        const { tenantId } = tenants[random.below(tenants.length)]!;
        const notes: string[] = [];
        const commits = random.chance(0.7);
        const client = await db.worker.connect();
        try {
          await client.query('begin');
          for (let appends = 1 + random.below(3); appends > 0; appends -= 1) {
            const events = Array.from({ length: 1 + random.below(3) }, (_, index) => noted(`${writer}.${n}.${appends}.${index}`));
            notes.push(...events.map(({ payload }) => payload.note as string));
            await append(client, tenantId, { aggregateId: `s${random.below(6)}`, expectedVersion: null, events });
          }
          await client.query(commits ? 'commit' : 'rollback');
        } finally {
          client.release();
        }
        if (commits) committed.get(tenantId)!.push(...notes);
      }
    };
    const read = async (tenant: TestTenant, maxEvents: number) => {
      const reads: Read[] = [];
      let after = 0;
      for (let last = false; !last; ) {
        last = !isWriting;
        const begin = (moment += 1);
        const page = await readFeed(tenant, after, maxEvents);
        reads.push({ after, page, begin, end: (moment += 1) });
        last &&= page.lastPosition === page.headPosition;
        after = page.lastPosition;
      }
      return reads;
    };

    const reading = tenants.map((tenant) => Promise.all([read(tenant, 1000), read(tenant, 7)]));
    await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer))).finally(() => {
      isWriting = false;
    });

    for (const [index, readers] of (await Promise.all(reading)).entries()) {
      const expected = committed.get(tenants[index]!.tenantId)!.toSorted();
      for (const reads of readers) {
        expect(positionsOf(reads)).toEqual(expected.map((_, n) => n + 1));
        expect(reads.flatMap(({ page }) => page.events.map(({ payload }) => payload.note)).toSorted()).toEqual(expected);
      }
      expect(goingBack(readers.flat())).toEqual([]);
    }
    expect(await misnumbered(db.admin)).toEqual([]);
  });
});

const positionsOf = (reads: readonly Read[]) => reads.flatMap(({ page }) => page.events.map(({ position }) => position));

/** Reads that began after another had ended, no matter whose, and saw an earlier head or a position that the other should have seen. */
function goingBack(reads: readonly Read[]): Read[] {
  return reads.filter((later) =>
    reads.some((earlier) => earlier.end < later.begin && (
      later.page.headPosition < earlier.page.headPosition ||
      positionsOf([later]).some((position) => position > earlier.after && position < earlier.page.lastPosition && !positionsOf([earlier]).includes(position))
    )));
}
