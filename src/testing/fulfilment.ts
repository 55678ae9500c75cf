import type { FulfilmentCommand, FulfilmentEvent, FulfilmentReaction } from '../domain/order-fulfilment/messages.ts';

/** The order that the tests of order-fulfilment follow, and what its process is told of it. */
export const orderId = '00000000-0000-4000-8000-0000000000e1';
export const budgetId = 'groceries';
export const lines = [{ item: 'Bread', quantity: 2, unitPrice: 350 }];
export const total = 700;

function told(event: FulfilmentEvent): FulfilmentReaction {
  return { kind: 'event', event: { ...event, aggregateId: event.type.startsWith('Budget') ? budgetId : orderId } };
}

function placed(needsApproval: boolean): FulfilmentReaction {
  const placedBy = '00000000-0000-4000-8000-00000000000b';
  return told({ type: 'OrderPlaced', payload: { budgetId, lines, total, placedBy, needsApproval } });
}

function rejectedOutcome(type: FulfilmentCommand['type'], code: string): FulfilmentReaction {
  const aggregateId = type.endsWith('Budget') ? budgetId : orderId;
  return { kind: 'outcome', commandId: 'c', type, aggregateId, status: 'rejected', outcome: { code, message: 'no' } };
}

function succeeded(type: FulfilmentCommand['type']): FulfilmentReaction {
  const aggregateId = type.endsWith('Budget') ? budgetId : orderId;
  return { kind: 'outcome', commandId: 'c', type, aggregateId, status: 'succeeded', outcome: {} };
}

const answered = { kind: 'answer', callId: orderId, name: 'place-with-supplier' } as const;

export const reactions = {
  placed: placed(false),
  placedByGuest: placed(true),
  approved: told({ type: 'OrderApproved', payload: {} }),
  cancelled: told({ type: 'OrderCancelled', payload: { budgetId } }),
  rejected: told({ type: 'OrderRejected', payload: { reason: 'by hand' } }),
  delivered: told({ type: 'OrderDelivered', payload: {} }),
  reserved: told({ type: 'BudgetReserved', payload: { orderId, amount: total } }),
  reservationRefused: told({ type: 'BudgetReservationRefused', payload: { orderId, amount: total, available: 1 } }),
  budgetNotFound: rejectedOutcome('ReserveBudget', 'BUDGET_NOT_FOUND'),
  reserveRejected: rejectedOutcome('ReserveBudget', 'INVALID_PAYLOAD'),
  reserveSucceeded: succeeded('ReserveBudget'),
  supplierAccepted: { ...answered, answer: { ok: true, value: { reference: 'S-1' } } },
  supplierRefused: { ...answered, answer: { ok: false, error: { code: 'REFUSED', message: 'sold out' } } },
  spendSucceeded: succeeded('SpendBudget'),
  spendRejected: rejectedOutcome('SpendBudget', 'NOTHING_RESERVED'),
  confirmSucceeded: succeeded('ConfirmOrder'),
  confirmRejected: rejectedOutcome('ConfirmOrder', 'ORDER_NOT_OPEN'),
  rejectSucceeded: succeeded('RejectOrder'),
  rejectRejected: rejectedOutcome('RejectOrder', 'ORDER_NOT_OPEN'),
  releaseSucceeded: succeeded('ReleaseBudget'),
  releaseRejected: rejectedOutcome('ReleaseBudget', 'NOTHING_RESERVED'),
  approvalTimer: { kind: 'timer', name: 'approval' },
  deliveryTimer: { kind: 'timer', name: 'delivery' },
  cancel: { kind: 'cancel' },
} as const satisfies Readonly<Record<string, FulfilmentReaction>>;
