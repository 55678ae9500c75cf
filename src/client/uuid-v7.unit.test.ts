import fc from 'fast-check';
import { expect, test } from 'vitest';
import { uuidV7 } from './uuid-v7.ts';

const latestMs = 2 ** 48 - 1;

test('an id is a UUID of version 7 that carries the millisecond of its making', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: latestMs }), (now) => {
      const id = uuidV7(now);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(now);
    }),
  );
});

test('ids of one millisecond differ', () => {
  expect(new Set(Array.from({ length: 1000 }, () => uuidV7(0))).size).toBe(1000);
});
