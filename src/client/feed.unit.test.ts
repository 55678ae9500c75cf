import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyFeed, type Feed, hasGap, hydrated, maxWaitingEvents, receive, type RecordedEvent, type Step } from './feed.ts';

function event(position: number): RecordedEvent {
  const aggregate = { aggregateType: 'order', aggregateId: 'o', version: position };
  return { position, ...aggregate, type: 'Happened', schemaVersion: 1, payload: {}, metadata: {}, recordedAt: '2026-11-22T10:00:00Z' };
}

function range(from: number, to: number): RecordedEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => event(from + index));
}

/** What a network may do to the messages of a log of `length` events: drop, double and swap them, or cut off their events. */
function deliveries(length: number) {
  const message = fc
    .tuple(fc.integer({ min: 1, max: length }), fc.integer({ min: 0, max: 3 }), fc.boolean())
    .map(([from, more, whole]) => {
      const to = Math.min(from + more, length);
      return (feed: Feed): Step => receive(feed, whole ? range(from, to) : [], to);
    });
  const hydration = fc.integer({ min: 0, max: length }).map((position) => (feed: Feed): Step => hydrated(feed, position));
  return fc.array(fc.oneof({ weight: 5, arbitrary: message }, { weight: 1, arbitrary: hydration }));
}

test('whatever is dropped, doubled or swapped, events are applied once, in contiguous order', () => {
  fc.assert(
    fc.property(deliveries(12), (steps) => {
      let feed = emptyFeed;
      for (const step of steps) {
        const before = feed.position;
        const { feed: after, ready } = step(feed);
        const positions = ready.map(({ position }) => position);
        // A hydration may jump ahead; from there on, what is applied leads up to the new position without a hole.
        const start = (after.position ?? 0) - ready.length;
        expect(positions).toEqual(positions.map((_, index) => start + index + 1));
        expect(start).toBeGreaterThanOrEqual(before ?? 0);
        feed = after;
      }
    }),
  );
});

test('reading the feed after a gap leaves nothing behind', () => {
  fc.assert(
    fc.property(deliveries(12), (steps) => {
      let { feed } = hydrated(emptyFeed, 0);
      for (const step of steps) ({ feed } = step(feed));
      expect(hasGap(feed)).toBe(feed.position !== feed.head);
      const { feed: filled } = receive(feed, range(feed.position! + 1, 12), 12);
      expect(filled).toEqual({ position: 12, head: 12, waiting: new Map() });
    }),
  );
});

test('nothing is applied before the client has hydrated', () => {
  const { feed, ready } = receive(emptyFeed, range(1, 3), 3);
  expect(ready).toEqual([]);
  expect(hydrated(feed, 1).ready.map(({ position }) => position)).toEqual([2, 3]);
});

test('a message without its events is a gap', () => {
  const { feed } = hydrated(emptyFeed, 4);
  expect(hasGap(feed)).toBe(false);
  expect(hasGap(receive(feed, [], 6).feed)).toBe(true);
});

test('an older hydration does not take the client back', () => {
  const { feed } = hydrated(emptyFeed, 9);
  expect(hydrated(feed, 5)).toEqual({ feed, ready: [] });
});

test('of what waits for its turn only so much is kept, the earliest of it; the rest is a gap', () => {
  const { feed: started } = hydrated(emptyFeed, 0);
  const last = maxWaitingEvents + 10;
  const { feed } = receive(started, range(2, last), last);
  expect(feed.waiting.size).toBe(maxWaitingEvents);
  const { feed: after, ready } = receive(feed, [event(1)], 1);
  expect(ready.map(({ position }) => position)).toEqual(range(1, maxWaitingEvents + 1).map(({ position }) => position));
  expect(hasGap(after)).toBe(true);
});
