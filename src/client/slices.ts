import { budgetSlice } from '../domain/budget/budget.ts';
import type { Slice } from '../domain/kernel/slice.ts';
import { orderSlice } from '../domain/order/order.ts';

/** One entry a slice: what a client can follow and send, with its types. */
export const slices = { order: orderSlice, budget: budgetSlice };

export type AggregateType = keyof typeof slices;

/** The literal types of one slice, or of all of them. */
type TypesOf<Aggregate extends AggregateType> = {
  [A in Aggregate]: (typeof slices)[A] extends Slice<infer State, infer Command, infer _Event, infer Code>
    ? { readonly state: State; readonly command: Command; readonly code: Code }
    : never;
}[Aggregate];

export type StateOf<Aggregate extends AggregateType> = TypesOf<Aggregate>['state'];
export type CommandOf<Aggregate extends AggregateType> = TypesOf<Aggregate>['command'];
export type CodeOf<Aggregate extends AggregateType> = TypesOf<Aggregate>['code'];
