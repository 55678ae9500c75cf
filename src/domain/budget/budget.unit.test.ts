import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specificationOf } from '../../testing/specification.ts';
import { listAmounts } from './amounts.ts';
import { budgetSlice } from './budget.ts';
import type { BudgetCommand, BudgetEvent } from './messages.ts';

const given = specificationOf(budgetSlice.decider);

const owner = { userId: '00000000-0000-4000-8000-00000000000a', role: 'owner' } as const;
const member = { userId: '00000000-0000-4000-8000-00000000000b', role: 'member' } as const;
const system = { userId: null, role: 'system' } as const;
const [order1, order2] = ['00000000-0000-4000-8000-0000000000e1', '00000000-0000-4000-8000-0000000000e2'] as const;

const open: BudgetCommand = { type: 'OpenBudget', payload: { name: 'Groceries', limit: 1000 } };
const changeLimit = (limit: number): BudgetCommand => ({ type: 'ChangeBudgetLimit', payload: { limit } });
const reserve = (orderId: string, amount: number): BudgetCommand => ({ type: 'ReserveBudget', payload: { orderId, amount } });
const spend = (orderId: string): BudgetCommand => ({ type: 'SpendBudget', payload: { orderId } });
const release = (orderId: string): BudgetCommand => ({ type: 'ReleaseBudget', payload: { orderId } });

const opened: BudgetEvent = { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 1000 } };
const reserved = (orderId: string, amount: number): BudgetEvent => ({ type: 'BudgetReserved', payload: { orderId, amount } });
const spent = (orderId: string, amount: number): BudgetEvent => ({ type: 'BudgetSpent', payload: { orderId, amount } });
const released = (orderId: string, amount: number): BudgetEvent => ({ type: 'BudgetReleased', payload: { orderId, amount } });

describe('OpenBudget', () => {
  it('opens a budget', () => given().when(open, owner).then(opened));
  it('refuses a second time as BUDGET_ALREADY_OPEN', () => given(opened).when(open, owner).thenRejected('BUDGET_ALREADY_OPEN'));
  it('is NOT_ALLOWED for a member', () => given().when(open, member).thenRejected('NOT_ALLOWED'));
});

describe('ChangeBudgetLimit', () => {
  it('changes the limit down to what is reserved and spent', () =>
    given(opened, reserved(order1, 300), spent(order1, 300), reserved(order2, 200))
      .when(changeLimit(500), owner)
      .then({ type: 'BudgetLimitChanged', payload: { limit: 500 } }));
  it('refuses less than what is reserved and spent as LIMIT_BELOW_COMMITTED', () =>
    given(opened, reserved(order1, 300)).when(changeLimit(299), owner).thenRejected('LIMIT_BELOW_COMMITTED'));
  it('is NOT_ALLOWED for a member', () => given(opened).when(changeLimit(5), member).thenRejected('NOT_ALLOWED'));
});

describe('ReserveBudget', () => {
  it('reserves what is available', () => given(opened).when(reserve(order1, 1000), system).then(reserved(order1, 1000)));
  it('records a refusal, as an event, with what is available', () =>
    given(opened, reserved(order1, 600))
      .when(reserve(order2, 401), system)
      .then({ type: 'BudgetReservationRefused', payload: { orderId: order2, amount: 401, available: 400 } }));
  it('replaces an earlier reservation of the same order', () =>
    given(opened, reserved(order1, 600)).when(reserve(order1, 1000), system).then(reserved(order1, 1000)));
  it('is NOT_ALLOWED for a person', () => given(opened).when(reserve(order1, 1), owner).thenRejected('NOT_ALLOWED'));
});

describe('SpendBudget and ReleaseBudget', () => {
  it('spend what is reserved', () => given(opened, reserved(order1, 300)).when(spend(order1), system).then(spent(order1, 300)));
  it('release what is reserved', () => given(opened, reserved(order1, 300)).when(release(order1), system).then(released(order1, 300)));
  it('release what is already spent', () =>
    given(opened, reserved(order1, 300), spent(order1, 300)).when(release(order1), system).then(released(order1, 300)));
  it('are refused as NOTHING_RESERVED for an order without a reservation', () => {
    given(opened).when(spend(order1), system).thenRejected('NOTHING_RESERVED');
    given(opened, reserved(order1, 1), released(order1, 1)).when(release(order1), system).thenRejected('NOTHING_RESERVED');
  });
});

describe('every command but OpenBudget', () => {
  it.each([changeLimit(1), reserve(order1, 1), spend(order1), release(order1)])(
    '$type is refused as BUDGET_NOT_FOUND where there is no budget',
    (command) => given().when(command, member).thenRejected('BUDGET_NOT_FOUND'),
  );
});

describe('a budget through any sequence of commands', () => {
  const anyOrder = fc.constantFrom(order1, order2, '00000000-0000-4000-8000-0000000000e3');
  const anyAmount = fc.integer({ min: 0, max: 1500 });
  const anyCommand = fc.oneof(
    fc.constant(open),
    anyAmount.map(changeLimit),
    fc.tuple(anyOrder, anyAmount).map(([id, amount]) => reserve(id, amount)),
    anyOrder.map(spend),
    anyOrder.map(release),
  );

  it('never has more reserved and spent than its limit', () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 40 }), (commands) => {
        let state = budgetSlice.decider.initialState;
        for (const command of commands) {
          const isForOwner = command.type === 'OpenBudget' || command.type === 'ChangeBudgetLimit';
          const result = budgetSlice.decider.decide(command, state, {
            now: '2026-01-01T00:00:00.000Z',
            actor: isForOwner ? owner : system,
            tenantId: 't',
            commandId: 'c',
            aggregateId: 'groceries',
          });
          if (result.ok) state = result.value.reduce(budgetSlice.decider.evolve, state);
          if (state.status === 'not_open') continue;
          const committed = [state.reserved, state.spent].flatMap((amounts) => Object.values(listAmounts(amounts))).reduce((a, b) => a + b, 0);
          expect(committed).toBe(state.reserved.total + state.spent.total);
          expect(committed).toBeLessThanOrEqual(state.limit);
        }
      }),
    );
  });
});
