import { expect, test } from 'vitest';
import { createSignInThrottle } from './sign-in-throttle.ts';

function attempt(throttle: ReturnType<typeof createSignInThrottle>, times: number): boolean[] {
  return Array.from({ length: times }, () => throttle.admit('Alice@rose.example'));
}

test('ten attempts pass and the eleventh does not', () => {
  expect(attempt(createSignInThrottle(() => 0), 11)).toEqual([...Array<boolean>(10).fill(true), false]);
});

test('the case of the address makes no difference', () => {
  const throttle = createSignInThrottle(() => 0);
  attempt(throttle, 10);
  expect(throttle.admit('alice@rose.example')).toBe(false);
});

test('a minute later attempts pass again', () => {
  let time = 0;
  const throttle = createSignInThrottle(() => time);
  attempt(throttle, 11);
  time = 60_000;
  expect(throttle.admit('alice@rose.example')).toBe(true);
});

test('the right password clears the count', () => {
  const throttle = createSignInThrottle(() => 0);
  attempt(throttle, 10);
  throttle.clear('alice@rose.example');
  expect(attempt(throttle, 10)).not.toContain(false);
});

test('other addresses are not held up', () => {
  const throttle = createSignInThrottle(() => 0);
  attempt(throttle, 11);
  expect(throttle.admit('bob@rose.example')).toBe(true);
});
