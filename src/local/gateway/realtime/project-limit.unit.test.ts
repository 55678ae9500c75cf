import { expect, test } from 'vitest';
import { createProjectLimit } from './project-limit.ts';

test('deliveries are averaged over a minute: a burst passes, a rate above the limit does not', () => {
  let seconds = 0;
  const limit = createProjectLimit(2, () => seconds * 1_000);
  const admitted = (times: number) => Array.from({ length: times }, () => limit.admit()).filter(Boolean).length;
  expect(admitted(150)).toBe(120);
  seconds = 59;
  expect(admitted(1)).toBe(0);
  seconds = 60;
  expect(admitted(10)).toBe(10);
});

test('without a limit everything passes', () => {
  const limit = createProjectLimit(null);
  expect(Array.from({ length: 1_000 }, () => limit.admit()).every(Boolean)).toBe(true);
});
