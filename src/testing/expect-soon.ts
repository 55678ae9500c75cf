import { expect } from 'vitest';

const patienceMs = 10_000;

/** Looks until what is expected is there: as long as a busy machine may need. */
export function expectSoon<Value>(look: () => Value) {
  return expect.poll(look, { timeout: patienceMs });
}
