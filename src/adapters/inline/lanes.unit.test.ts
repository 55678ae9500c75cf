import { expect, it } from 'vitest';
import { createLanes } from './lanes.ts';

it('runs so many at once, the others in their order, and frees the lane of one that fails', async () => {
  const inLane = createLanes(2);
  const begun: number[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const works = gates.map(({ promise }, n) =>
    inLane(async () => {
      begun.push(n);
      await promise;
      return n;
    }),
  );
  expect(begun).toEqual([0, 1]);
  gates[1]!.reject(new Error('it fails'));
  await expect(works[1]).rejects.toThrow('it fails');
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  expect(await Promise.all([works[0], works[2], works[3]])).toEqual([0, 2, 3]);
  // Both lanes are free again.
  expect(await Promise.all([inLane(async () => 'a'), inLane(async () => 'b')])).toEqual(['a', 'b']);
});
