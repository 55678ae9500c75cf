import { describe, expect, it } from 'vitest';
import { asMarkdown, meets, round, toRow } from './row.ts';

describe('a row of the table', () => {
  it('has the median as its result, and the least and the greatest round as its spread', () => {
    expect(toRow({ benchmark: 'append', measured: 'x : y', values: [0.7, 0.5, 0.6], goal: { atLeast: 0.6 } })).toEqual({
      benchmark: 'append', measured: 'x : y', result: '0.60 ×', spread: '0.50–0.70', goal: '≥ 0.6 ×', met: 'yes', figures: '',
    });
  });

  it('says so when the goal is missed, and nothing of goals where there is none', () => {
    expect(toRow({ benchmark: 'a', measured: 'b', values: [51], unit: ' ms', goal: { atMost: 50 } })).toMatchObject({ spread: '', goal: '≤ 50 ms', met: 'no' });
    expect(toRow({ benchmark: 'a', measured: 'b', values: [1] })).toMatchObject({ goal: '', met: '' });
  });

  it('meets a goal that it just reaches', () => {
    expect([meets(0.6, { atLeast: 0.6 }), meets(0.59, { atLeast: 0.6 }), meets(1.3, { atMost: 1.3 }), meets(1.31, { atMost: 1.3 })])
      .toEqual([true, false, true, false]);
  });

  it('shows about three digits of every figure, and no more of a whole number than there are', () => {
    expect([0.123, 9.87, 12.34, 5678.9, 3].map(round)).toEqual(['0.12', '9.87', '12.3', '5679', '3']);
  });

  it('becomes a line of a Markdown table', () => {
    const row = toRow({ benchmark: 'a', measured: 'b', values: [1], figures: 'c' });
    expect(asMarkdown([row]).split('\n')).toEqual([
      '| benchmark | measured | result | spread | goal | met | figures |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      '| a | b | 1 × |  |  |  | c |',
    ]);
  });
});
