import type { DecisionContext, Decider } from '../kernel/decider.ts';
import type { Sender } from '../kernel/message.ts';
import { accept, reject, type Rejection, type Result } from '../kernel/result.ts';
import type { Slice } from '../kernel/slice.ts';
import { orderCatalogue } from './catalogue.ts';
import type { OrderCommand, OrderEvent } from './messages.ts';

export type OrderStatus = 'awaiting_approval' | 'placed' | 'confirmed' | 'rejected' | 'cancelled' | 'delivered';

export type OrderState =
  | { readonly status: 'not_placed' }
  | {
      readonly status: OrderStatus;
      readonly budgetId: string;
      /** Cents. */
      readonly total: number;
      readonly placedBy: string;
    };

export type OrderRejectionCode = 'ORDER_ALREADY_PLACED' | 'ORDER_NOT_FOUND' | 'ORDER_NOT_OPEN' | 'NOT_ALLOWED';

type PlacedOrder = Extract<OrderState, { status: OrderStatus }>;
type Decision = Result<readonly OrderEvent[], Rejection<OrderRejectionCode>>;

/** The statuses in which each command finds its order open; a status that is not listed is `ORDER_NOT_OPEN`. */
const openFor = {
  ApproveOrder: ['awaiting_approval'],
  CancelOrder: ['awaiting_approval', 'placed', 'confirmed'],
  RecordDelivery: ['confirmed'],
  ConfirmOrder: ['placed'],
  RejectOrder: ['awaiting_approval', 'placed'],
} as const satisfies Record<Exclude<OrderCommand['type'], 'PlaceOrder'>, readonly OrderStatus[]>;

function decide(command: OrderCommand, state: OrderState, context: DecisionContext): Decision {
  if (command.type === 'PlaceOrder') return place(command, state, context);
  if (state.status === 'not_placed') return reject('ORDER_NOT_FOUND', 'There is no order with this id.');
  const statuses: readonly OrderStatus[] = openFor[command.type];
  if (!statuses.includes(state.status)) {
    return reject('ORDER_NOT_OPEN', `${command.type} needs an order that is ${statuses.join(' or ')}; this one is ${state.status}.`, {
      status: state.status,
    });
  }
  if (!mayChange(command, state, context)) return notAllowed(command.type, context.actor.role);
  return accept([change(command, state)]);
}

function place(command: Extract<OrderCommand, { type: 'PlaceOrder' }>, state: OrderState, { actor }: DecisionContext): Decision {
  if (actor.userId === null || !maySend(command.type, actor.role)) return notAllowed(command.type, actor.role);
  if (state.status !== 'not_placed') return reject('ORDER_ALREADY_PLACED', 'An order with this id has been placed already.');
  const { budgetId, lines } = command.payload;
  const total = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
  return accept([
    {
      type: 'OrderPlaced',
      payload: { budgetId, lines, total, placedBy: actor.userId, needsApproval: actor.role === 'guest' },
    },
  ]);
}

function mayChange(command: OrderCommand, order: PlacedOrder, { actor }: DecisionContext): boolean {
  if (command.type === 'CancelOrder') return actor.role === 'owner' || actor.userId === order.placedBy;
  return maySend(command.type, actor.role);
}

function change(command: Exclude<OrderCommand, { type: 'PlaceOrder' }>, order: PlacedOrder): OrderEvent {
  switch (command.type) {
    case 'ApproveOrder':
      return { type: 'OrderApproved', payload: {} };
    case 'CancelOrder':
      return { type: 'OrderCancelled', payload: { ...command.payload, budgetId: order.budgetId } };
    case 'RecordDelivery':
      return { type: 'OrderDelivered', payload: {} };
    case 'ConfirmOrder':
      return { type: 'OrderConfirmed', payload: {} };
    case 'RejectOrder':
      return { type: 'OrderRejected', payload: { reason: command.payload.reason } };
    default:
      return command satisfies never;
  }
}

function evolve(state: OrderState, event: OrderEvent): OrderState {
  if (event.type === 'OrderPlaced') {
    const { budgetId, total, placedBy, needsApproval } = event.payload;
    return { status: needsApproval ? 'awaiting_approval' : 'placed', budgetId, total, placedBy };
  }
  if (state.status === 'not_placed') return state;
  return { ...state, status: statusAfter(event) };
}

function statusAfter(event: Exclude<OrderEvent, { type: 'OrderPlaced' }>): OrderStatus {
  switch (event.type) {
    case 'OrderApproved':
      return 'placed';
    case 'OrderCancelled':
      return 'cancelled';
    case 'OrderDelivered':
      return 'delivered';
    case 'OrderConfirmed':
      return 'confirmed';
    case 'OrderRejected':
      return 'rejected';
    default:
      return event satisfies never;
  }
}

function notAllowed(type: string, role: Sender): Decision {
  return reject('NOT_ALLOWED', `A ${role} may not send ${type} for this order.`, { role });
}

function maySend(type: OrderCommand['type'], role: Sender): boolean {
  const sentBy: readonly Sender[] = orderCatalogue.commands[type].sentBy;
  return sentBy.includes(role);
}

const decider: Decider<OrderState, OrderCommand, OrderEvent, OrderRejectionCode> = {
  initialState: { status: 'not_placed' },
  decide,
  evolve,
};

export const orderSlice: Slice<OrderState, OrderCommand, OrderEvent, OrderRejectionCode> = {
  aggregateType: orderCatalogue.aggregateType,
  stateVersion: 1,
  snapshotEvery: 100,
  commands: orderCatalogue.commands,
  events: orderCatalogue.events,
  upcasters: {},
  decider,
};
