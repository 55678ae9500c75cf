import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specificationOf } from '../../testing/specification.ts';
import type { OrderCommand, OrderEvent } from './messages.ts';
import { orderSlice } from './order.ts';

const given = specificationOf(orderSlice.decider);

const alice = { userId: '00000000-0000-4000-8000-00000000000a', role: 'owner' } as const;
const bob = { userId: '00000000-0000-4000-8000-00000000000b', role: 'member' } as const;
const carol = { userId: '00000000-0000-4000-8000-00000000000c', role: 'guest' } as const;
const system = { userId: null, role: 'system' } as const;

const lines = [
  { item: 'Bread', quantity: 2, unitPrice: 350 },
  { item: 'Milk', quantity: 1, unitPrice: 120 },
];
const placeOrder: OrderCommand = { type: 'PlaceOrder', payload: { budgetId: 'groceries', lines } };

function placedBy(actor: { userId: string; role: string }): OrderEvent {
  return {
    type: 'OrderPlaced',
    payload: { budgetId: 'groceries', lines, total: 820, placedBy: actor.userId, needsApproval: actor.role === 'guest' },
  };
}
const approved: OrderEvent = { type: 'OrderApproved', payload: {} };
const confirmed: OrderEvent = { type: 'OrderConfirmed', payload: {} };
const delivered: OrderEvent = { type: 'OrderDelivered', payload: {} };
const rejected: OrderEvent = { type: 'OrderRejected', payload: { reason: 'budget exceeded' } };
const cancelled: OrderEvent = { type: 'OrderCancelled', payload: { budgetId: 'groceries' } };

const approve: OrderCommand = { type: 'ApproveOrder', payload: {} };
const cancel: OrderCommand = { type: 'CancelOrder', payload: {} };
const recordDelivery: OrderCommand = { type: 'RecordDelivery', payload: {} };
const confirm: OrderCommand = { type: 'ConfirmOrder', payload: {} };
const rejectOrder: OrderCommand = { type: 'RejectOrder', payload: { reason: 'budget exceeded' } };

describe('PlaceOrder', () => {
  it('places an order with the total of its lines', () => given().when(placeOrder, bob).then(placedBy(bob)));
  it('marks an order of a guest as one that needs approval', () => given().when(placeOrder, carol).then(placedBy(carol)));
  it('refuses a second order with the same id as ORDER_ALREADY_PLACED', () =>
    given(placedBy(bob)).when(placeOrder, bob).thenRejected('ORDER_ALREADY_PLACED'));
  it('is NOT_ALLOWED for the system, which is nobody who could have placed it', () =>
    given().when(placeOrder, system).thenRejected('NOT_ALLOWED'));
});

describe('ApproveOrder', () => {
  it('approves an order that waits for approval', () => given(placedBy(carol)).when(approve, alice).then(approved));
  it('refuses an order that waits for no approval as ORDER_NOT_OPEN', () =>
    given(placedBy(bob)).when(approve, alice).thenRejected('ORDER_NOT_OPEN'));
  it('is NOT_ALLOWED for a member', () => given(placedBy(carol)).when(approve, bob).thenRejected('NOT_ALLOWED'));
});

describe('CancelOrder', () => {
  it('cancels for the one who placed it', () => given(placedBy(bob)).when(cancel, bob).then(cancelled));
  it('cancels for an owner, with the reason', () =>
    given(placedBy(bob))
      .when({ type: 'CancelOrder', payload: { reason: 'too much' } }, alice)
      .then({ type: 'OrderCancelled', payload: { reason: 'too much', budgetId: 'groceries' } }));
  it('cancels a confirmed order', () => given(placedBy(bob), confirmed).when(cancel, bob).then(cancelled));
  it("is NOT_ALLOWED for another member's order", () => given(placedBy(alice)).when(cancel, bob).thenRejected('NOT_ALLOWED'));
  it('says ORDER_NOT_OPEN before NOT_ALLOWED', () =>
    given(placedBy(alice), cancelled).when(cancel, bob).thenRejected('ORDER_NOT_OPEN'));
});

describe('RecordDelivery', () => {
  it('records the delivery of a confirmed order', () => given(placedBy(bob), confirmed).when(recordDelivery, bob).then(delivered));
  it('refuses an order that is not confirmed as ORDER_NOT_OPEN', () =>
    given(placedBy(bob)).when(recordDelivery, bob).thenRejected('ORDER_NOT_OPEN'));
  it('is NOT_ALLOWED for a guest', () =>
    given(placedBy(carol), approved, confirmed).when(recordDelivery, carol).thenRejected('NOT_ALLOWED'));
});

describe('ConfirmOrder and RejectOrder', () => {
  it('confirm a placed order', () => given(placedBy(bob)).when(confirm, system).then(confirmed));
  it('do not confirm an order that waits for approval', () =>
    given(placedBy(carol)).when(confirm, system).thenRejected('ORDER_NOT_OPEN'));
  it('reject an order that waits for approval', () => given(placedBy(carol)).when(rejectOrder, system).then(rejected));
  it('are NOT_ALLOWED for a person, even the owner', () => given(placedBy(bob)).when(confirm, alice).thenRejected('NOT_ALLOWED'));
});

describe('every command but PlaceOrder', () => {
  const commands = [approve, cancel, recordDelivery, confirm, rejectOrder];
  it.each(commands)('$type is refused as ORDER_NOT_FOUND where there is no order', (command) =>
    given().when(command, alice).thenRejected('ORDER_NOT_FOUND'));
  it.each(commands)('$type is refused as ORDER_NOT_OPEN once the order has ended', (command) => {
    for (const end of [delivered, rejected, cancelled]) {
      given(placedBy(bob), confirmed, end).when(command, system).thenRejected('ORDER_NOT_OPEN');
    }
  });
});

describe('an order through any sequence of commands', () => {
  const anyActor = fc.constantFrom(alice, bob, carol, system);
  const anyCommand = fc.constantFrom(placeOrder, approve, cancel, recordDelivery, confirm, rejectOrder);

  it('is never delivered unless it was confirmed, and never changes after its end', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyCommand, anyActor), { maxLength: 20 }), (steps) => {
        const history: OrderEvent[] = [];
        let state = orderSlice.decider.initialState;
        for (const [command, actor] of steps) {
          const result = orderSlice.decider.decide(command, state, {
            now: '2026-01-01T00:00:00.000Z',
            actor,
            tenantId: 't',
            commandId: 'c',
            aggregateId: 'a',
          });
          if (!result.ok) continue;
          expect(['delivered', 'rejected', 'cancelled']).not.toContain(state.status);
          for (const event of result.value) {
            history.push(event);
            state = orderSlice.decider.evolve(state, event);
          }
        }
        const types = history.map((event) => event.type);
        expect(types.slice(0, types.indexOf('OrderDelivered') + 1)).toSatisfy(
          (untilDelivery: string[]) => untilDelivery.length === 0 || untilDelivery.includes('OrderConfirmed'),
        );
        expect(types.filter((type) => type === 'OrderPlaced').length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
