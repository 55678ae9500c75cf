import { expect, it } from 'vitest';
import { slices as registered } from '../domain/registry.ts';
import { slices } from './slices.ts';

it('a client knows every slice that the server knows', () => {
  expect(Object.keys(slices).toSorted()).toEqual(registered.map(({ aggregateType }) => aggregateType).toSorted());
});
