import type { Effect } from '../kernel/process.ts';
import type { FulfilmentCommand, FulfilmentStep, SupplierOrder } from './messages.ts';
import type { FulfilmentState, OrderToFulfil } from './state.ts';

type FulfilmentEffect = Effect<FulfilmentCommand>;

export function reserve(order: OrderToFulfil, orderId: string, ...effects: readonly FulfilmentEffect[]): FulfilmentStep {
  const payload = { orderId, amount: order.total };
  return step({ phase: 'reserving', order }, ...effects, send(order.budgetId, { type: 'ReserveBudget', payload }));
}

export function askSupplier({ budgetId, total, lines }: OrderToFulfil, orderId: string): FulfilmentStep {
  const request: SupplierOrder = { orderId, total, lines };
  return step({ phase: 'ordering', budgetId }, { kind: 'call', name: 'place-with-supplier', callId: orderId, request });
}

export function rejectOrder(reason: string, orderId: string, ...effects: readonly FulfilmentEffect[]): FulfilmentStep {
  return step({ phase: 'rejecting' }, ...effects, send(orderId, { type: 'RejectOrder', payload: { reason } }));
}

/** And that is all: a ReleaseBudget is sent once, and the queue sees to it. */
export function release(budgetId: string, orderId: string): FulfilmentStep {
  return step({ phase: 'ended', committedTo: null }, releaseFrom(budgetId, orderId));
}

export function releaseFrom(budgetId: string, orderId: string): FulfilmentEffect {
  return send(budgetId, { type: 'ReleaseBudget', payload: { orderId } });
}

export function send(aggregateId: string, command: FulfilmentCommand): FulfilmentEffect {
  return { kind: 'send', aggregateId, command };
}

export function end(committedTo: string | null): FulfilmentStep {
  return step({ phase: 'ended', committedTo });
}

export function stay(state: FulfilmentState): FulfilmentStep {
  return step(state);
}

export function step(state: FulfilmentState, ...effects: readonly FulfilmentEffect[]): FulfilmentStep {
  return { state, effects };
}
