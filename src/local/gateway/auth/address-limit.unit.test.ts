import { expect, test } from 'vitest';
import { createAddressLimit } from './address-limit.ts';

function ask(limit: ReturnType<typeof createAddressLimit>, times: number): boolean[] {
  return Array.from({ length: times }, () => limit('192.0.2.1'));
}

test('thirty pass at once and the next does not', () => {
  expect(ask(createAddressLimit(() => 0), 31)).toEqual([...Array<boolean>(30).fill(true), false]);
});

test('then one passes every two seconds', () => {
  let time = 0;
  const limit = createAddressLimit(() => time);
  ask(limit, 30);
  time = 1_999;
  expect(limit('192.0.2.1')).toBe(false);
  time = 4_000;
  expect(ask(limit, 3)).toEqual([true, true, false]);
});

test('however long it was quiet, no more than thirty pass at once', () => {
  let time = 0;
  const limit = createAddressLimit(() => time);
  limit('192.0.2.1');
  time = 3_600_000;
  expect(ask(limit, 31).filter(Boolean)).toHaveLength(30);
});

test('another address is not held up', () => {
  const limit = createAddressLimit(() => 0);
  ask(limit, 31);
  expect(limit('192.0.2.2')).toBe(true);
});
