import { expect, test } from 'vitest';
import { createPresenceLimit } from './presence-limit.ts';

test('five events pass in thirty seconds and the sixth does not', () => {
  const admit = createPresenceLimit(() => 0);
  expect(Array.from({ length: 6 }, admit)).toEqual([true, true, true, true, true, false]);
});

test('thirty seconds after the first one five pass again', () => {
  let time = 0;
  const admit = createPresenceLimit(() => time);
  for (let n = 0; n < 5; n += 1) admit();
  time = 29_999;
  expect(admit()).toBe(false);
  time = 30_000;
  expect(Array.from({ length: 6 }, admit)).toEqual([true, true, true, true, true, false]);
});
