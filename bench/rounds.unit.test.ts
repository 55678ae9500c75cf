import { describe, expect, it } from 'vitest';
import { describeRates, ratios } from './rounds.ts';

const fast = { rates: [1_000, 2_000, 4_000], clientShares: [0.4, 0.4, 0.4] };
const slow = { rates: [500, 500, 3_000], clientShares: [0.1, 0.2, 0.3] };

describe('two variants that were measured in turn', () => {
  it('are compared round by round', () => {
    expect(ratios(slow, fast)).toEqual([0.5, 0.25, 0.75]);
  });

  it('are told by their medians, with what the client took of the processors', () => {
    expect(describeRates(slow, fast)).toBe('500/s : 2000/s; client 20 % : 40 %');
  });
});
