import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listAmounts, noAmounts } from '../budget/amounts.ts';
import { budgetId, lines, orderId, total } from '../../testing/fulfilment.ts';
import { createFulfilmentModel, type FulfilmentModel } from '../../testing/fulfilment-model.ts';
import { createOrderFulfilment } from './order-fulfilment.ts';

const owner = { userId: '00000000-0000-4000-8000-00000000000a', role: 'owner' } as const;
const guest = { userId: '00000000-0000-4000-8000-00000000000c', role: 'guest' } as const;
const system = { userId: null, role: 'system' } as const;

/** What people, operators and faults do beside what happens by itself. */
const interventions: Readonly<Record<string, (model: FulfilmentModel, n: number) => void>> = {
  approve: (model) => model.submit('order', { type: 'ApproveOrder', payload: {} }, owner),
  cancelOrder: (model) => model.submit('order', { type: 'CancelOrder', payload: {} }, owner),
  deliver: (model) => model.submit('order', { type: 'RecordDelivery', payload: {} }, owner),
  rejectByHand: (model) => model.submit('order', { type: 'RejectOrder', payload: { reason: 'by hand' } }, system),
  cancelProcess: (model) => model.cancelProcess(),
  repeat: (model, n) => model.repeat(n),
  deadLetter: (model) => model.deadLetter(),
};

const anyMove = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('goOn' as const), n: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom(...Object.keys(interventions)), n: fc.nat() }) },
);
const anyBudget = fc.constantFrom('none', total - 1, total, 10 * total);

function goOn(model: FulfilmentModel, n: number): void {
  const possible = model.possible();
  possible[n % Math.max(possible.length, 1)]?.();
  expectWithinLimit(model);
}

/** Until nothing happens by itself any more. */
function settle(model: FulfilmentModel, seed: number): void {
  for (let steps = 0; model.possible().length > 0; steps += 1) {
    if (steps > 200) throw new Error('It does not come to an end.');
    goOn(model, seed + steps);
  }
}

function expectWithinLimit(model: FulfilmentModel): void {
  const { limit, reserved, spent } = { limit: 0, reserved: noAmounts, spent: noAmounts, ...model.budget() };
  expect(reserved.total + spent.total).toBeLessThanOrEqual(limit);
}

/** Everything has ended, and the budget holds for the order what the order's status allows. */
function expectSettled(model: FulfilmentModel): void {
  expect(model.hasEnded()).toBe(true);
  const { status } = model.order();
  expect(['confirmed', 'delivered', 'rejected', 'cancelled']).toContain(status);
  const isFulfilled = status === 'confirmed' || status === 'delivered';
  const { reserved, spent } = { reserved: noAmounts, spent: noAmounts, ...model.budget() };
  expect({ reserved: listAmounts(reserved), spent: listAmounts(spent) }).toEqual({ reserved: {}, spent: isFulfilled ? { [orderId]: total } : {} });
}

it.each([
  ['a member', owner],
  ['a guest', guest],
])('whatever happens in whatever order, an order of %s and its budget agree in the end', (_who, placedBy) => {
  fc.assert(
    fc.property(anyBudget, fc.array(anyMove, { maxLength: 40 }), fc.nat(), (limit, moves, seed) => {
      const model = createFulfilmentModel(createOrderFulfilment());
      if (limit !== 'none') model.submit('budget', { type: 'OpenBudget', payload: { name: 'Groceries', limit } }, owner);
      model.submit('order', { type: 'PlaceOrder', payload: { budgetId, lines } }, placedBy);
      for (const { kind, n } of moves) {
        if (kind === 'goOn') goOn(model, n);
        else interventions[kind]?.(model, n);
      }
      settle(model, seed);
      expectSettled(model);

      model.submit('order', { type: 'CancelOrder', payload: {} }, owner);
      settle(model, seed);
      expectSettled(model);
    }),
    { numRuns: 400 },
  );
});
