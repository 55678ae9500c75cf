import { budgetSlice } from '../domain/budget/budget.ts';
import type { DomainMessage } from '../domain/kernel/decider.ts';
import type { Slice } from '../domain/kernel/slice.ts';
import { orderSlice } from '../domain/order/order.ts';

/** A slice, and what of its log this build can read. */
export interface ReadableSlice<
  State = unknown,
  Command extends DomainMessage = DomainMessage,
  Event extends DomainMessage = DomainMessage,
  Code extends string = string,
> {
  readonly slice: Slice<State, Command, Event, Code>;
  /** The newest schema version of each event that `evolve` knows. What is newer, or not here, comes from a newer server. */
  readonly reads: Readonly<Record<Event['type'], number>>;
}

/** One entry a slice: what a client can follow and send, with its types. */
export const slices = {
  order: readable(orderSlice, {
    OrderPlaced: 1,
    OrderApproved: 1,
    OrderCancelled: 1,
    OrderDelivered: 1,
    OrderConfirmed: 1,
    OrderRejected: 1,
  }),
  budget: readable(budgetSlice, {
    BudgetOpened: 1,
    BudgetLimitChanged: 1,
    BudgetReserved: 1,
    BudgetReservationRefused: 1,
    BudgetSpent: 1,
    BudgetReleased: 1,
  }),
};

export type AggregateType = keyof typeof slices;

/** The literal types of one slice, or of all of them. */
type TypesOf<Aggregate extends AggregateType> = {
  [A in Aggregate]: (typeof slices)[A] extends ReadableSlice<infer State, infer Command, infer _Event, infer Code>
    ? { readonly state: State; readonly command: Command; readonly code: Code }
    : never;
}[Aggregate];

export type StateOf<Aggregate extends AggregateType> = TypesOf<Aggregate>['state'];
export type CommandOf<Aggregate extends AggregateType> = TypesOf<Aggregate>['command'];
export type CodeOf<Aggregate extends AggregateType> = TypesOf<Aggregate>['code'];

function readable<State, Command extends DomainMessage, Event extends DomainMessage, Code extends string>(
  slice: Slice<State, Command, Event, Code>,
  reads: NoInfer<Readonly<Record<Event['type'], number>>>,
): ReadableSlice<State, Command, Event, Code> {
  return { slice, reads };
}
