import type { OrderLine } from '../order/messages.ts';

/** Of one order's fulfilment. Money is *committed* where it is reserved or spent. */
export type FulfilmentState =
  | { readonly phase: 'not_started' }
  /** Nothing is committed. */
  | { readonly phase: 'awaiting_approval'; readonly order: OrderToFulfil }
  /** The budget is asked: what it will say is committed by the time that it is heard. */
  | { readonly phase: 'reserving'; readonly order: OrderToFulfil }
  /** The order has come to its end meanwhile: what the budget reserves is released. */
  | { readonly phase: 'withdrawn'; readonly budgetId: string }
  /** The amount is committed: while the supplier is asked, the order is confirmed, and then delivered. */
  | { readonly phase: 'ordering' | 'confirming' | 'confirmed'; readonly budgetId: string }
  /** RejectOrder is on its way, and nothing is committed any more. */
  | { readonly phase: 'rejecting' }
  /** Kept, so that a later cancellation knows which budget has the money, if any has. */
  | { readonly phase: 'ended'; readonly committedTo: string | null };

export interface OrderToFulfil {
  readonly budgetId: string;
  /** Cents. */
  readonly total: number;
  readonly lines: readonly OrderLine[];
}
