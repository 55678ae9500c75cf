import { isDeepStrictEqual } from 'node:util';
import type { EventRow, Evidence, Follower } from './evidence.ts';
import { groupBy } from './group.ts';
import { type Violation, violation } from './violation.ts';

/** D, for clients: what each has applied is what was committed, in order, each event once and none left out. */
export function checkFollowers({ followers, events }: Evidence): Violation[] {
  const committed = groupBy(events, ({ tenantId }) => tenantId);
  return followers.flatMap((follower) => checkFollower(follower, committed.get(follower.tenantId) ?? []));
}

function checkFollower({ name, applied }: Follower, events: readonly EventRow[]): Violation[] {
  const expected = events.toSorted((one, other) => one.position - other.position);
  const at = expected.findIndex((event, index) => !isDeepStrictEqual(event, applied[index]));
  if (at === -1) {
    const extra = applied[expected.length];
    if (extra === undefined) return [];
    return [violation('D', 'follower applied what was not committed', `${name} at position ${extra.position}`)];
  }
  const [wanted, got] = [expected[at]!, applied[at]];
  return [violation('D', nameOf(wanted, got, at), `${name} at position ${wanted.position}`)];
}

function nameOf(wanted: EventRow, got: EventRow | undefined, at: number): string {
  if (got === undefined || got.position > wanted.position) return 'follower lost an event';
  if (got.position <= at) return 'follower applied an event twice';
  return 'follower applied another event';
}
