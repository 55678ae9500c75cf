import type { DecisionContext, Decider } from '../kernel/decider.ts';
import { accept, reject, type Rejection, type Result } from '../kernel/result.ts';
import type { Slice } from '../kernel/slice.ts';
import { budgetCatalogue } from './catalogue.ts';
import type { BudgetCommand, BudgetEvent } from './messages.ts';

/** Amounts are in cents. */
export type BudgetState =
  | { readonly status: 'not_open' }
  | {
      readonly status: 'open';
      readonly name: string;
      readonly limit: number;
      /** By order id. An order's amount stays in `spent` so that a later cancellation can release it. */
      readonly reserved: Readonly<Record<string, number>>;
      readonly spent: Readonly<Record<string, number>>;
    };

export type BudgetRejectionCode =
  | 'BUDGET_ALREADY_OPEN'
  | 'BUDGET_NOT_FOUND'
  | 'LIMIT_BELOW_COMMITTED'
  | 'NOTHING_RESERVED'
  | 'NOT_ALLOWED';

type OpenBudget = Extract<BudgetState, { status: 'open' }>;
type Decision = Result<readonly BudgetEvent[], Rejection<BudgetRejectionCode>>;

function decide(command: BudgetCommand, state: BudgetState, { actor }: DecisionContext): Decision {
  if (command.type !== 'OpenBudget' && state.status === 'not_open') {
    return reject('BUDGET_NOT_FOUND', 'There is no budget with this id. Send OpenBudget first.');
  }
  if (!budgetCatalogue.commands[command.type].sentBy.some((role) => role === actor.role)) {
    return reject('NOT_ALLOWED', `A ${actor.role} may not send ${command.type}.`, { role: actor.role });
  }
  if (state.status === 'not_open') return open(command);
  return command.type === 'OpenBudget'
    ? reject('BUDGET_ALREADY_OPEN', 'A budget with this id is open already.')
    : change(command, state);
}

function open(command: BudgetCommand): Decision {
  if (command.type !== 'OpenBudget') throw new Error(`${command.type} reached a budget that is not open`);
  return accept([{ type: 'BudgetOpened', payload: command.payload }]);
}

function change(command: Exclude<BudgetCommand, { type: 'OpenBudget' }>, budget: OpenBudget): Decision {
  switch (command.type) {
    case 'ChangeBudgetLimit':
      return changeLimit(command.payload.limit, budget);
    case 'ReserveBudget':
      return reserve(command.payload.orderId, command.payload.amount, budget);
    case 'SpendBudget':
      return spend(command.payload.orderId, budget);
    case 'ReleaseBudget':
      return release(command.payload.orderId, budget);
    default:
      return command satisfies never;
  }
}

function changeLimit(limit: number, budget: OpenBudget): Decision {
  const committed = sum(budget.reserved) + sum(budget.spent);
  if (limit < committed) {
    return reject('LIMIT_BELOW_COMMITTED', `The limit cannot be below ${committed} cents, which are reserved or spent.`, { committed });
  }
  return accept([{ type: 'BudgetLimitChanged', payload: { limit } }]);
}

/** A second reservation for one order replaces the first, so it is measured against the budget without it. */
function reserve(orderId: string, amount: number, budget: OpenBudget): Decision {
  const available = budget.limit - sum(budget.spent) - sum(without(orderId, budget.reserved));
  return accept([
    amount <= available
      ? { type: 'BudgetReserved', payload: { orderId, amount } }
      : { type: 'BudgetReservationRefused', payload: { orderId, amount, available } },
  ]);
}

function spend(orderId: string, budget: OpenBudget): Decision {
  if (!Object.hasOwn(budget.reserved, orderId)) return nothingReserved();
  return accept([{ type: 'BudgetSpent', payload: { orderId, amount: amountFor(orderId, budget.reserved) } }]);
}

function release(orderId: string, budget: OpenBudget): Decision {
  if (!Object.hasOwn(budget.reserved, orderId) && !Object.hasOwn(budget.spent, orderId)) return nothingReserved();
  const amount = amountFor(orderId, budget.reserved) + amountFor(orderId, budget.spent);
  return accept([{ type: 'BudgetReleased', payload: { orderId, amount } }]);
}

function nothingReserved(): Decision {
  return reject('NOTHING_RESERVED', 'Nothing is reserved for this order.');
}

function evolve(state: BudgetState, event: BudgetEvent): BudgetState {
  if (event.type === 'BudgetOpened') {
    const { name, limit } = event.payload;
    return { status: 'open', name, limit, reserved: {}, spent: {} };
  }
  if (state.status === 'not_open') return state;
  switch (event.type) {
    case 'BudgetLimitChanged':
      return { ...state, limit: event.payload.limit };
    case 'BudgetReserved': {
      const { orderId, amount } = event.payload;
      return { ...state, reserved: { ...state.reserved, [orderId]: amount } };
    }
    case 'BudgetReservationRefused':
      return state;
    case 'BudgetSpent': {
      const { orderId, amount } = event.payload;
      const spent = { ...state.spent, [orderId]: amountFor(orderId, state.spent) + amount };
      return { ...state, reserved: without(orderId, state.reserved), spent };
    }
    case 'BudgetReleased': {
      const { orderId } = event.payload;
      return { ...state, reserved: without(orderId, state.reserved), spent: without(orderId, state.spent) };
    }
    default:
      return event satisfies never;
  }
}

function amountFor(orderId: string, amounts: Readonly<Record<string, number>>): number {
  return amounts[orderId] ?? 0;
}

function without(orderId: string, amounts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(amounts).filter(([id]) => id !== orderId));
}

function sum(amounts: Readonly<Record<string, number>>): number {
  return Object.values(amounts).reduce((total, amount) => total + amount, 0);
}

const decider: Decider<BudgetState, BudgetCommand, BudgetEvent, BudgetRejectionCode> = {
  initialState: { status: 'not_open' },
  decide,
  evolve,
};

export const budgetSlice: Slice<BudgetState, BudgetCommand, BudgetEvent, BudgetRejectionCode> = {
  aggregateType: budgetCatalogue.aggregateType,
  stateVersion: 1,
  snapshotEvery: 100,
  commands: budgetCatalogue.commands,
  events: budgetCatalogue.events,
  upcasters: {},
  decider,
};
