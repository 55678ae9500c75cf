import { describe, expect, it } from 'vitest';
import { createReadCounter } from '../testing/counted-reads.ts';
import type { BudgetEvent } from './budget/messages.ts';
import { budgetSlice } from './budget/budget.ts';
import type { DecisionContext } from './kernel/decider.ts';
import type { OrderEvent } from './order/messages.ts';
import { orderSlice } from './order/order.ts';

// Counts, and no clock: how many properties of its state a slice reads while it folds. What is quadratic reads sixteen times as much of
// a stream that is four times as long; a tree grows by a level now and then.
const allowedGrowth = 4 * 1.5;

const orderIds = (count: number) => Array.from({ length: count }, (_, n) => `0199c0de-0000-7000-8000-${n.toString(16).padStart(12, '0')}`);
const opened: BudgetEvent = { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 2 ** 50 } };

function readsOf<State, Event>(evolve: (state: State, event: Event) => State, initial: State, events: readonly Event[]) {
  const { count, reads } = createReadCounter();
  const state = events.reduce((current, event) => count(evolve(current, event)), count(initial));
  return { state, reads: reads(), readsSince: (before: number) => reads() - before };
}

const streams: Record<string, (orders: number) => BudgetEvent[]> = {
  'reservations only': (orders) => orderIds(orders).map((orderId) => ({ type: 'BudgetReserved', payload: { orderId, amount: 1 } })),
  'orders that are spent': (orders) =>
    orderIds(orders).flatMap((orderId) => [
      { type: 'BudgetReserved', payload: { orderId, amount: 1 } },
      { type: 'BudgetSpent', payload: { orderId, amount: 1 } },
    ]),
  'orders that are released in the end': (orders) => [
    ...orderIds(orders).map((orderId): BudgetEvent => ({ type: 'BudgetReserved', payload: { orderId, amount: 1 } })),
    ...orderIds(orders).map((orderId): BudgetEvent => ({ type: 'BudgetReleased', payload: { orderId, amount: 1 } })),
  ],
  'changes of the limit': (orders) => orderIds(orders).map((_, limit) => ({ type: 'BudgetLimitChanged', payload: { limit } })),
};

describe('the work of a fold grows as its stream does', () => {
  it.each(Object.entries(streams))('of a budget with %s', (_what, events) => {
    const readsFor = (orders: number) => readsOf(budgetSlice.decider.evolve, budgetSlice.decider.initialState, [opened, ...events(orders)]).reads;
    expect(readsFor(4_000) / readsFor(1_000)).toBeLessThan(allowedGrowth);
  });

  it('of an order', () => {
    const placed: OrderEvent = { type: 'OrderPlaced', payload: { budgetId: 'groceries', lines: [], total: 1, placedBy: 'u', needsApproval: false } };
    const events = (count: number) => [placed, ...Array.from({ length: count }, (): OrderEvent => ({ type: 'OrderConfirmed', payload: {} }))];
    const readsFor = (count: number) => readsOf(orderSlice.decider.evolve, orderSlice.decider.initialState, events(count)).reads;
    expect(readsFor(4_000) / readsFor(1_000)).toBeLessThan(allowedGrowth);
  });

  it('and a decision of a budget reads a few properties, however many orders it has had', () => {
    const context: DecisionContext = { now: '', actor: { userId: null, role: 'system' }, tenantId: 't', commandId: 'c', aggregateId: 'groceries' };
    const readsFor = (orders: number) => {
      const folded = readsOf(budgetSlice.decider.evolve, budgetSlice.decider.initialState, [opened, ...streams['orders that are spent']!(orders)]);
      budgetSlice.decider.decide({ type: 'ReserveBudget', payload: { orderId: 'another', amount: 1 } }, folded.state, context);
      return folded.readsSince(folded.reads);
    };
    expect(readsFor(4_000)).toBeLessThan(readsFor(10) + 100);
  });
});
