import { expect, it } from 'vitest';
import { parseTimeline, planSteps, type Step } from './plan.ts';

function first(count: number, seed: number, names: readonly string[]): Step[] {
  const steps = planSteps(seed, names);
  return Array.from({ length: count }, () => steps.next().value);
}

it('the same seed plans the same steps, another one others', () => {
  expect(first(20, 42, ['a', 'b', 'c'])).toEqual(first(20, 42, ['a', 'b', 'c']));
  expect(first(20, 43, ['a', 'b', 'c'])).not.toEqual(first(20, 42, ['a', 'b', 'c']));
});

it('every fault has its turn before any has a second one', () => {
  const names = ['a', 'b', 'c', 'd'];
  const steps = first(8, 7, names).map(({ fault }) => fault);
  expect(steps.slice(0, 4).toSorted()).toEqual(names);
  expect(steps.slice(4).toSorted()).toEqual(names);
});

it('a timeline can be written and read, and what is none is refused', () => {
  const timeline = { seed: 42, steps: first(3, 42, ['a']) };
  expect(parseTimeline(JSON.stringify(timeline))).toEqual(timeline);
  expect(() => parseTimeline('{"seed":42}')).toThrow('steps');
});
