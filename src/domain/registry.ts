import { budgetSlice } from './budget/budget.ts';
import type { BudgetEvent } from './budget/messages.ts';
import type { Slice } from './kernel/slice.ts';
import type { OrderEvent } from './order/messages.ts';
import { orderSlice } from './order/order.ts';

/** One line a slice. */
export const slices: readonly Slice[] = [orderSlice, budgetSlice];

/** Every event, as the code of this release reads it. */
export type DomainEvent = OrderEvent | BudgetEvent;

const slicesByAggregateType: ReadonlyMap<string, Slice> = new Map(slices.map((slice) => [slice.aggregateType, slice]));

export function findSlice(aggregateType: string): Slice | undefined {
  return slicesByAggregateType.get(aggregateType);
}

/** By aggregate type: what a snapshot must match to be used. */
export const stateVersions: Readonly<Record<string, number>> = Object.fromEntries(
  slices.map((slice) => [slice.aggregateType, slice.stateVersion]),
);
