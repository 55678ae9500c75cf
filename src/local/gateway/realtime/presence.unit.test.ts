import { expect, test } from 'vitest';
import { type Attendant, createPresenceBoard, type PresenceDiff } from './presence.ts';

function attendant(key: string): Attendant & { readonly diffs: readonly PresenceDiff[] } {
  const diffs: PresenceDiff[] = [];
  return { key, diffs, onDiff: (diff) => diffs.push(diff) };
}

const ref: unknown = expect.any(String);

test('who looks on is told who comes and who goes, and others are not', () => {
  const board = createPresenceBoard();
  const [alice, bob, stranger] = [attendant('alice'), attendant('bob'), attendant('stranger')];
  board.watch('room', alice);
  board.watch('elsewhere', stranger);
  board.track('room', bob, { typing: false });
  expect(board.list('room')).toEqual({ bob: { metas: [{ typing: false, phx_ref: ref }] } });
  board.leave('room', bob);
  board.leave('room', bob);
  expect(board.list('room')).toEqual({});
  const bobsMetas = { bob: { metas: [{ typing: false, phx_ref: ref }] } };
  expect(alice.diffs).toEqual([{ joins: bobsMetas, leaves: {} }, { joins: {}, leaves: bobsMetas }]);
  expect([bob.diffs, stranger.diffs]).toEqual([[], []]);
});

test('who says something else leaves as it was and joins as it is, and names what it replaces', () => {
  const board = createPresenceBoard();
  const bob = attendant('bob');
  board.watch('room', bob);
  board.track('room', bob, { typing: false });
  board.track('room', bob, { typing: true });
  const [first, second] = bob.diffs;
  const before = first!.joins['bob']!.metas[0]!;
  expect(second).toEqual({
    joins: { bob: { metas: [{ typing: true, phx_ref: ref, phx_ref_prev: before.phx_ref }] } },
    leaves: { bob: { metas: [before] } },
  });
});

test('a key is present as long as one of its connections is', () => {
  const board = createPresenceBoard();
  const [phone, laptop] = [attendant('alice'), attendant('alice')];
  board.track('room', phone, { on: 'phone' });
  board.track('room', laptop, { on: 'laptop' });
  expect(board.list('room')).toMatchObject({ alice: { metas: [{ on: 'phone' }, { on: 'laptop' }] } });
  board.untrack('room', phone);
  expect(board.list('room')).toEqual({ alice: { metas: [{ on: 'laptop', phx_ref: ref }] } });
});

test('a key may have the name of what every object has', () => {
  const board = createPresenceBoard();
  board.track('room', attendant('__proto__'), {});
  expect(JSON.parse(JSON.stringify(board.list('room')))).toHaveProperty(['__proto__'], { metas: [{ phx_ref: ref }] });
});
