import type { BudgetCommand, BudgetEvent } from '../budget/messages.ts';
import type { Reaction, Step } from '../kernel/process.ts';
import type { OrderCommand, OrderEvent } from '../order/messages.ts';
import type { FulfilmentState, OrderToFulfil } from './state.ts';

/** What it sends. */
export type FulfilmentCommand = Extract<
  OrderCommand | BudgetCommand,
  { type: 'ConfirmOrder' | 'RejectOrder' | 'ReserveBudget' | 'SpendBudget' | 'ReleaseBudget' }
>;
/** What it is told of. */
export type FulfilmentEvent = Extract<
  OrderEvent | BudgetEvent,
  {
    type:
      | 'OrderPlaced'
      | 'OrderApproved'
      | 'OrderCancelled'
      | 'OrderRejected'
      | 'OrderDelivered'
      | 'BudgetReserved'
      | 'BudgetReservationRefused';
  }
>;
export type FulfilmentReaction = Reaction<FulfilmentEvent, FulfilmentCommand>;
export type FulfilmentStep = Step<FulfilmentState, FulfilmentCommand>;

/** What the supplier is asked; its answer's value is not looked at. */
export interface SupplierOrder extends Pick<OrderToFulfil, 'total' | 'lines'> {
  readonly orderId: string;
}
