import { expect, test } from 'vitest';
import type { RecordedEvent } from './feed.ts';
import { fold } from './fold.ts';
import { slices } from './slices.ts';

const opened: RecordedEvent = {
  position: 1,
  aggregateType: 'budget',
  aggregateId: 'groceries',
  version: 1,
  type: 'BudgetOpened',
  schemaVersion: 1,
  payload: { name: 'Groceries', limit: 100 },
  metadata: {},
  recordedAt: '2026-11-22T10:00:00Z',
};

test('events that are known are folded', () => {
  expect(fold(slices.budget, [opened])).toMatchObject({ status: 'open', limit: 100 });
});

const unreadable = [
  ['an event of an unknown type', { type: 'BudgetPainted' }, 'UNKNOWN_EVENT'],
  ['an event with the name of an inherited property', { type: 'toString' }, 'UNKNOWN_EVENT'],
  ['an event of a newer schema version', { schemaVersion: 2 }, 'UNKNOWN_EVENT'],
  ['an event on which evolve fails', { payload: null }, 'UNREADABLE_EVENT'],
] as const;

test.each(unreadable)('%s is an error, not a guess', (_name, change, code) => {
  const foldIt = () => fold(slices.budget, [opened, { ...opened, ...change, version: 2 }]);
  expect(foldIt).toThrow(expect.objectContaining({ name: 'FollowError', code }));
});
