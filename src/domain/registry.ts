import { budgetSlice } from './budget/budget.ts';
import type { Slice } from './kernel/slice.ts';
import { orderSlice } from './order/order.ts';

/** One line a slice. */
const slices: readonly Slice[] = [orderSlice, budgetSlice];

const slicesByAggregateType: ReadonlyMap<string, Slice> = new Map(slices.map((slice) => [slice.aggregateType, slice]));

export function findSlice(aggregateType: string): Slice | undefined {
  return slicesByAggregateType.get(aggregateType);
}

/** By aggregate type: what a snapshot must match to be used. */
export const stateVersions: Readonly<Record<string, number>> = Object.fromEntries(
  slices.map((slice) => [slice.aggregateType, slice.stateVersion]),
);
