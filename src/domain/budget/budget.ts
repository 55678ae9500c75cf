import type { DecisionContext, Decider } from '../kernel/decider.ts';
import { accept, reject, type Rejection, type Result } from '../kernel/result.ts';
import type { Slice } from '../kernel/slice.ts';
import { amountFor, type Amounts, hasAmountFor, noAmounts, withAmount, withoutAmount } from './amounts.ts';
import { budgetCatalogue } from './catalogue.ts';
import type { BudgetCommand, BudgetEvent } from './messages.ts';

/** Amounts are in cents. */
export type BudgetState =
  | { readonly status: 'not_open' }
  | {
      readonly status: 'open';
      readonly name: string;
      readonly limit: number;
      readonly reserved: Amounts;
      /** An order's amount stays here so that a later cancellation can release it. */
      readonly spent: Amounts;
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
  const committed = budget.reserved.total + budget.spent.total;
  if (limit < committed) {
    return reject('LIMIT_BELOW_COMMITTED', `The limit cannot be below ${committed} cents, which are reserved or spent.`, { committed });
  }
  return accept([{ type: 'BudgetLimitChanged', payload: { limit } }]);
}

/** A second reservation for one order replaces the first, so it is measured against the budget without it. */
function reserve(orderId: string, amount: number, budget: OpenBudget): Decision {
  const available = budget.limit - budget.spent.total - withoutAmount(orderId, budget.reserved).total;
  return accept([
    amount <= available
      ? { type: 'BudgetReserved', payload: { orderId, amount } }
      : { type: 'BudgetReservationRefused', payload: { orderId, amount, available } },
  ]);
}

function spend(orderId: string, budget: OpenBudget): Decision {
  if (!hasAmountFor(orderId, budget.reserved)) return nothingReserved();
  return accept([{ type: 'BudgetSpent', payload: { orderId, amount: amountFor(orderId, budget.reserved) } }]);
}

function release(orderId: string, budget: OpenBudget): Decision {
  if (!hasAmountFor(orderId, budget.reserved) && !hasAmountFor(orderId, budget.spent)) return nothingReserved();
  const amount = amountFor(orderId, budget.reserved) + amountFor(orderId, budget.spent);
  return accept([{ type: 'BudgetReleased', payload: { orderId, amount } }]);
}

function nothingReserved(): Decision {
  return reject('NOTHING_RESERVED', 'Nothing is reserved for this order.');
}

function evolve(state: BudgetState, event: BudgetEvent): BudgetState {
  if (event.type === 'BudgetOpened') {
    const { name, limit } = event.payload;
    return { status: 'open', name, limit, reserved: noAmounts, spent: noAmounts };
  }
  if (state.status === 'not_open') return state;
  switch (event.type) {
    case 'BudgetLimitChanged':
      return { ...state, limit: event.payload.limit };
    case 'BudgetReserved': {
      const { orderId, amount } = event.payload;
      return { ...state, reserved: withAmount(orderId, amount, state.reserved) };
    }
    case 'BudgetReservationRefused':
      return state;
    case 'BudgetSpent': {
      const { orderId, amount } = event.payload;
      const spent = withAmount(orderId, amountFor(orderId, state.spent) + amount, state.spent);
      return { ...state, reserved: withoutAmount(orderId, state.reserved), spent };
    }
    case 'BudgetReleased': {
      const { orderId } = event.payload;
      return { ...state, reserved: withoutAmount(orderId, state.reserved), spent: withoutAmount(orderId, state.spent) };
    }
    default:
      return event satisfies never;
  }
}

const decider: Decider<BudgetState, BudgetCommand, BudgetEvent, BudgetRejectionCode> = {
  initialState: { status: 'not_open' },
  decide,
  evolve,
};

export const budgetSlice: Slice<BudgetState, BudgetCommand, BudgetEvent, BudgetRejectionCode> = {
  aggregateType: budgetCatalogue.aggregateType,
  stateVersion: 2,
  snapshotEvery: 100,
  commands: budgetCatalogue.commands,
  events: budgetCatalogue.events,
  upcasters: {},
  decider,
};
