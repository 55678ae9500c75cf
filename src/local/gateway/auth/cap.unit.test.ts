import { expect, test } from 'vitest';
import { createCap } from './cap.ts';

test('one too many is told so and does not run; there is room again when another ends', async () => {
  const cap = createCap(1);
  const first = Promise.withResolvers<string>();
  const running = cap(() => first.promise);
  expect(await cap(() => Promise.reject(new Error('it has run')))).toBe('busy');
  first.resolve('first');
  expect(await running).toBe('first');
  expect(await cap(async () => 'next')).toBe('next');
});

test('what fails makes room, too', async () => {
  const cap = createCap(1);
  await expect(cap(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await cap(async () => 'next')).toBe('next');
});
