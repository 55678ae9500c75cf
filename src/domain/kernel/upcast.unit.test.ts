import { describe, expect, it } from 'vitest';
import { evolvedBudget } from '../../testing/evolved-budget.ts';
import { upcast } from './upcast.ts';

const changed = (schemaVersion: number, payload: unknown) => ({ type: 'BudgetLimitChanged', schemaVersion, payload, position: 7 });

describe('a stored message', () => {
  it.each([
    [1, { euros: 5 }],
    [2, { amount: 500 }],
    [3, { limit: 500 }],
  ])('of version %i is read as one of the current version, and keeps what stands around its payload', (version, payload) => {
    expect(upcast(evolvedBudget, changed(version, payload))).toEqual(changed(3, { limit: 500 }));
  });

  it('is not changed where it lies', () => {
    const old = Object.freeze(changed(1, Object.freeze({ euros: 5 })));
    upcast(evolvedBudget, old);
    expect(old).toEqual(changed(1, { euros: 5 }));
  });

  it.each([
    ['a version', changed(4, { limit: 500 })],
    ['a type', { type: 'BudgetPainted', schemaVersion: 1, payload: {} }],
    ['a type with a name that every object has', { type: 'constructor', schemaVersion: 1, payload: {} }],
  ])('is newer where it has %s that is not known', (_what, message) => {
    expect(upcast(evolvedBudget, message)).toBe('newer');
  });

  it('that nobody can bring to the current version is a bug', () => {
    expect(() => upcast({ ...evolvedBudget, upcasters: {} }, changed(2, { amount: 1 }))).toThrow('no upcaster for BudgetLimitChanged from schema version 2');
  });
});
