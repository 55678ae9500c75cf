import { describe, expect, it } from 'vitest';
import { quantile } from './quantile.ts';

describe('quantile', () => {
  it('answers the value by nearest rank, in whatever order the sample is', () => {
    const sample = [40, 15, 50, 20, 35];
    expect([0.3, 0.5, 0.99, 1].map((q) => quantile(sample, q))).toEqual([20, 35, 50, 50]);
    expect(sample).toEqual([40, 15, 50, 20, 35]);
  });

  it('answers the only value of a sample of one', () => {
    expect([0.01, 0.99].map((q) => quantile([7], q))).toEqual([7, 7]);
  });

  it('refuses an empty sample', () => {
    expect(() => quantile([], 0.5)).toThrow('empty');
  });
});
