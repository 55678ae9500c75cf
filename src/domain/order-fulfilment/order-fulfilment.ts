import type { CommandOutcome, ProcessManager, ReactionContext } from '../kernel/process.ts';
import type { FulfilmentCommand, FulfilmentEvent, FulfilmentReaction, FulfilmentStep } from './messages.ts';
import type { FulfilmentState, OrderToFulfil } from './state.ts';
import { askSupplier, end, rejectOrder, release, releaseFrom, reserve, send, stay, step } from './steps.ts';

export interface FulfilmentDurations {
  /** How long an order of a guest waits for approval. (Default: 48 hours) */
  readonly approvalSeconds?: number;
  /** How long a confirmed order is followed. (Default: 30 days) */
  readonly deliverySeconds?: number;
}

/** Takes an order from its placing to its delivery. Its key is the order's id. */
export function createOrderFulfilment({
  approvalSeconds = 48 * 3600,
  deliverySeconds = 30 * 24 * 3600,
}: FulfilmentDurations = {}): ProcessManager<FulfilmentState, FulfilmentEvent, FulfilmentCommand> {
  function react(state: FulfilmentState, reaction: FulfilmentReaction, { key: orderId }: ReactionContext): FulfilmentStep {
    switch (reaction.kind) {
      case 'event':
        return reactToEvent(state, reaction.event, orderId);
      case 'outcome':
        return reactToOutcome(state, reaction, orderId);
      case 'answer':
        return state.phase === 'ordering' ? supplierAnswered(state.budgetId, reaction.answer.ok, orderId) : stay(state);
      case 'timer':
        return reactToTimer(state, reaction.name, orderId);
      case 'cancel':
        return cancel(state, orderId);
      default:
        return reaction satisfies never;
    }
  }

  function reactToEvent(state: FulfilmentState, event: FulfilmentEvent, orderId: string): FulfilmentStep {
    switch (event.type) {
      case 'OrderPlaced':
        return state.phase === 'not_started' ? start(event.payload, orderId) : stay(state);
      case 'OrderApproved':
        return state.phase === 'awaiting_approval' ? reserve(state.order, orderId, clearApproval) : stay(state);
      case 'OrderCancelled':
        // One that is not known any more, or was placed before there was this process: its budget knows.
        return state.phase === 'not_started' ? release(event.payload.budgetId, orderId) : orderIsOver(state, orderId);
      case 'OrderRejected':
        return orderIsOver(state, orderId);
      case 'OrderDelivered':
        return state.phase === 'confirming' || state.phase === 'confirmed' ? end(state.budgetId) : stay(state);
      case 'BudgetReserved':
        if (state.phase === 'reserving') return askSupplier(state.order, orderId);
        return state.phase === 'withdrawn' ? release(state.budgetId, orderId) : stay(state);
      case 'BudgetReservationRefused':
        return reservationRefused(state, 'budget exceeded', orderId);
      default:
        return event satisfies never;
    }
  }

  function start(placed: OrderToFulfil & { readonly needsApproval: boolean }, orderId: string): FulfilmentStep {
    const { budgetId, total, lines, needsApproval } = placed;
    const order = { budgetId, total, lines };
    if (!needsApproval) return reserve(order, orderId);
    return step({ phase: 'awaiting_approval', order }, { kind: 'set_timer', name: 'approval', afterSeconds: approvalSeconds });
  }

  function reactToOutcome(state: FulfilmentState, result: CommandOutcome<FulfilmentCommand>, orderId: string): FulfilmentStep {
    switch (result.type) {
      case 'ReserveBudget':
        // What a success came to is told by its event.
        if (result.status === 'succeeded') return stay(state);
        return reservationRefused(state, result.outcome.code === 'BUDGET_NOT_FOUND' ? 'budget not open' : 'budget refused', orderId);
      case 'ConfirmOrder':
        // If it is refused, somebody was faster: an event tells who, before or after this.
        if (state.phase !== 'confirming') return stay(state);
        return step({ ...state, phase: 'confirmed' }, { kind: 'set_timer', name: 'delivery', afterSeconds: deliverySeconds });
      case 'RejectOrder':
        return state.phase === 'rejecting' ? end(null) : stay(state);
      case 'SpendBudget':
      case 'ReleaseBudget':
        // Refused only if nothing is reserved any more.
        return stay(state);
      default:
        return result.type satisfies never;
    }
  }

  return {
    name: 'order-fulfilment',
    stateVersion: 1,
    events: {
      OrderPlaced: 'aggregateId',
      OrderApproved: 'aggregateId',
      OrderCancelled: 'aggregateId',
      OrderRejected: 'aggregateId',
      OrderDelivered: 'aggregateId',
      BudgetReserved: 'payload.orderId',
      BudgetReservationRefused: 'payload.orderId',
    },
    initialState: { phase: 'not_started' },
    react,
    hasEnded: ({ phase }) => phase === 'not_started' || phase === 'ended',
  };
}

const clearApproval = { kind: 'clear_timer', name: 'approval' } as const;

function supplierAnswered(budgetId: string, hasAccepted: boolean, orderId: string): FulfilmentStep {
  if (!hasAccepted) return rejectOrder('supplier refused', orderId, releaseFrom(budgetId, orderId));
  return step(
    { phase: 'confirming', budgetId },
    send(budgetId, { type: 'SpendBudget', payload: { orderId } }),
    send(orderId, { type: 'ConfirmOrder', payload: {} }),
  );
}

function reactToTimer(state: FulfilmentState, name: string, orderId: string): FulfilmentStep {
  if (name === 'approval' && state.phase === 'awaiting_approval') return rejectOrder('approval expired', orderId);
  if (name === 'delivery' && state.phase === 'confirmed') return end(state.budgetId);
  return stay(state);
}

function reservationRefused(state: FulfilmentState, reason: string, orderId: string): FulfilmentStep {
  if (state.phase === 'reserving') return rejectOrder(reason, orderId);
  return state.phase === 'withdrawn' ? end(null) : stay(state);
}

/** The order is cancelled, or was rejected by somebody else. */
function orderIsOver(state: FulfilmentState, orderId: string): FulfilmentStep {
  switch (state.phase) {
    case 'awaiting_approval':
    case 'rejecting':
      return end(null);
    case 'reserving':
      return step({ phase: 'withdrawn', budgetId: state.order.budgetId });
    case 'ordering':
    case 'confirming':
    case 'confirmed':
      return release(state.budgetId, orderId);
    case 'ended':
      return state.committedTo === null ? stay(state) : release(state.committedTo, orderId);
    case 'not_started':
    case 'withdrawn':
      return stay(state);
    default:
      return state satisfies never;
  }
}

/** Up to the supplier's acceptance the order is rejected; after it, it takes its course. */
function cancel(state: FulfilmentState, orderId: string): FulfilmentStep {
  const reason = 'fulfilment cancelled';
  switch (state.phase) {
    case 'awaiting_approval':
      return rejectOrder(reason, orderId, clearApproval);
    case 'reserving':
      return { ...rejectOrder(reason, orderId), state: { phase: 'withdrawn', budgetId: state.order.budgetId } };
    case 'ordering':
      return rejectOrder(reason, orderId, { kind: 'give_up_call', callId: orderId }, releaseFrom(state.budgetId, orderId));
    case 'confirming':
    case 'confirmed':
      return end(state.budgetId);
    case 'not_started':
    case 'withdrawn':
    case 'rejecting':
    case 'ended':
      return stay(state);
    default:
      return state satisfies never;
  }
}
