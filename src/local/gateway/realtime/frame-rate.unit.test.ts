import { expect, test } from 'vitest';
import { createFrameRate } from './frame-rate.ts';

test('as many as allowed pass in a second, and again in the next', () => {
  let time = 5_000;
  const admit = createFrameRate(2, () => time);
  expect([admit(), admit(), admit()]).toEqual([true, true, false]);
  time = 5_999;
  expect(admit()).toBe(false);
  time = 6_000;
  expect(admit()).toBe(true);
});
