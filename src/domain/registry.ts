import { budgetSlice } from './budget/budget.ts';
import { budgetCommands, type BudgetEvent, budgetEvents } from './budget/messages.ts';
import type { RegisteredSlice } from './kernel/slice.ts';
import { orderCommands, type OrderEvent, orderEvents } from './order/messages.ts';
import { orderSlice } from './order/order.ts';

/** One line a slice. */
export const slices: readonly RegisteredSlice[] = [
  { ...orderSlice, commands: orderCommands, events: orderEvents },
  { ...budgetSlice, commands: budgetCommands, events: budgetEvents },
];

/** Every event, as the code of this release reads it. */
export type DomainEvent = OrderEvent | BudgetEvent;

const slicesByAggregateType: ReadonlyMap<string, RegisteredSlice> = new Map(slices.map((slice) => [slice.aggregateType, slice]));

export function findSlice(aggregateType: string): RegisteredSlice | undefined {
  return slicesByAggregateType.get(aggregateType);
}

/** By aggregate type: what a snapshot must match to be used. */
export const stateVersions: Readonly<Record<string, number>> = Object.fromEntries(
  slices.map((slice) => [slice.aggregateType, slice.stateVersion]),
);
