import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { budgetId, lines, orderId, reactions, total } from '../../testing/fulfilment.ts';
import { processSpecificationOf } from '../../testing/process-specification.ts';
import type { Effect } from '../kernel/process.ts';
import type { FulfilmentCommand } from './messages.ts';
import { createOrderFulfilment } from './order-fulfilment.ts';

const given = processSpecificationOf(createOrderFulfilment(), orderId);
const r = reactions;

type DoesWhat = Effect<FulfilmentCommand>;
const toBudget = (command: FulfilmentCommand): DoesWhat => ({ kind: 'send', aggregateId: budgetId, command });
const toOrder = (command: FulfilmentCommand): DoesWhat => ({ kind: 'send', aggregateId: orderId, command });
const reserves = toBudget({ type: 'ReserveBudget', payload: { orderId, amount: total } });
const spends = toBudget({ type: 'SpendBudget', payload: { orderId } });
const releases = toBudget({ type: 'ReleaseBudget', payload: { orderId } });
const confirms = toOrder({ type: 'ConfirmOrder', payload: {} });
const rejects = (reason: string) => toOrder({ type: 'RejectOrder', payload: { reason } });
const setsTimer = (name: string, afterSeconds: number): DoesWhat => ({ kind: 'set_timer', name, afterSeconds });
const asksSupplier: DoesWhat = { kind: 'call', name: 'place-with-supplier', callId: orderId, request: { orderId, total, lines } };
const clearsApproval: DoesWhat = { kind: 'clear_timer', name: 'approval' };
const givesUpCall: DoesWhat = { kind: 'give_up_call', callId: orderId };

/** What has led to each phase. */
const phases = {
  not_started: [],
  awaiting_approval: [r.placedByGuest],
  reserving: [r.placed],
  ordering: [r.placed, r.reserved],
  confirming: [r.placed, r.reserved, r.supplierAccepted],
  confirmed: [r.placed, r.reserved, r.supplierAccepted, r.confirmSucceeded],
  rejecting: [r.placed, r.reserved, r.supplierRefused],
  withdrawn: [r.placed, r.cancelled],
  'ended, spent': [r.placed, r.reserved, r.supplierAccepted, r.confirmSucceeded, r.delivered],
  'ended, released': [r.placed, r.reserved, r.cancelled],
} as const;
type Phase = keyof typeof phases;

describe('an order of a member', () => {
  it('has its amount reserved at once', () => given().when(r.placed).does(reserves).andGoesOn());
  it('goes to the supplier, under its own id, once the amount is reserved', () =>
    given(...phases.reserving).when(r.reserved).does(asksSupplier).andGoesOn());
  it('is paid and confirmed when the supplier accepts', () =>
    given(...phases.ordering).when(r.supplierAccepted).does(spends, confirms).andGoesOn());
  it('is followed for 30 days after its confirmation', () => {
    given(...phases.confirming).when(r.confirmSucceeded).does(setsTimer('delivery', 2_592_000)).andGoesOn();
    given(...phases.confirmed).when(r.deliveryTimer).does().andEnds();
  });
  it('ends with its delivery, also where the confirmation is heard later', () => {
    given(...phases.confirmed).when(r.delivered).does().andEnds();
    given(...phases.confirming).when(r.delivered).does().andEnds();
  });
});

describe('an order of a guest', () => {
  it('waits 48 hours for approval', () => given().when(r.placedByGuest).does(setsTimer('approval', 172_800)).andGoesOn());
  it('has its amount reserved once it is approved', () =>
    given(...phases.awaiting_approval).when(r.approved).does(clearsApproval, reserves).andGoesOn());
  it('is rejected when its approval expires', () => {
    given(...phases.awaiting_approval).when(r.approvalTimer).does(rejects('approval expired')).andGoesOn();
    given(...phases.awaiting_approval, r.approvalTimer).when(r.rejectSucceeded).does().andEnds();
  });
  it('stays rejected where an approval crosses the rejection', () =>
    given(...phases.awaiting_approval, r.approvalTimer).when(r.approved).doesNothing());
});

describe('an order that cannot be fulfilled', () => {
  it.each([
    ['the budget is exceeded', r.reservationRefused, 'budget exceeded'],
    ['the budget is not open', r.budgetNotFound, 'budget not open'],
    ['the reservation is rejected otherwise', r.reserveRejected, 'budget refused'],
  ])('is rejected where %s', (_why, reaction, reason) => given(...phases.reserving).when(reaction).does(rejects(reason)).andGoesOn());

  it('is rejected and releases its amount where the supplier refuses, or fails for good', () =>
    given(...phases.ordering).when(r.supplierRefused).does(releases, rejects('supplier refused')).andGoesOn());
  it('ends when it hears of its rejection, whichever way comes first', () => {
    given(...phases.rejecting).when(r.rejected).does().andEnds();
    given(...phases.rejecting).when(r.rejectSucceeded).does().andEnds();
    given(...phases.rejecting).when(r.rejectRejected).does().andEnds();
  });
});

describe.each(['cancelled', 'rejected'] as const)('an order that somebody has %s', (how) => {
  const over = r[how];
  it.each(['awaiting_approval', 'rejecting'] as const)('ends while it is %s: nothing is committed', (phase) =>
    given(...phases[phase]).when(over).does().andEnds());
  it.each(['ordering', 'confirming', 'confirmed'] as const)('releases its amount while it is %s, and ends', (phase) =>
    given(...phases[phase]).when(over).does(releases).andEnds());
  it('releases what is kept since its end', () => given(...phases['ended, spent']).when(over).does(releases).andEnds());
  it('releases it once', () => given(...phases['ended, spent'], over).when(over).doesNothing());
  it('while the budget is asked: waits for what it says', () => {
    given(...phases.reserving).when(over).does().andGoesOn();
    given(...phases.reserving, over).when(r.reserved).does(releases).andEnds();
    given(...phases.reserving, over).when(r.reservationRefused).does().andEnds();
    given(...phases.reserving, over).when(r.budgetNotFound).does().andEnds();
  });
});

it('the cancellation of an order that is not known releases what its budget may hold', () =>
  given().when(r.cancelled).does(releases).andEnds());

describe('an operator who cancels the process', () => {
  const why = 'fulfilment cancelled';
  it.each<[Phase, DoesWhat[]]>([
    ['awaiting_approval', [clearsApproval, rejects(why)]],
    ['reserving', [rejects(why)]],
    ['ordering', [givesUpCall, releases, rejects(why)]],
  ])('has the order rejected while it is %s', (phase, effects) =>
    given(...phases[phase]).when(r.cancel).does(...effects).andGoesOn());
  it.each(['confirming', 'confirmed'] as const)('ends it while it is %s, and the order takes its course', (phase) =>
    given(...phases[phase]).when(r.cancel).does().andEnds());
  it('still has released what the budget reserves later', () =>
    given(...phases.reserving, r.cancel).when(r.reserved).does(releases).andEnds());
});

describe('late, repeated and unexpected reactions', () => {
  /** By phase, all that changes anything or has an effect. */
  const expected: Readonly<Record<Phase, readonly (keyof typeof reactions)[]>> = {
    not_started: ['placed', 'placedByGuest', 'cancelled'],
    awaiting_approval: ['approved', 'cancelled', 'rejected', 'approvalTimer', 'cancel'],
    reserving: ['cancelled', 'rejected', 'reserved', 'reservationRefused', 'budgetNotFound', 'reserveRejected', 'cancel'],
    ordering: ['cancelled', 'rejected', 'supplierAccepted', 'supplierRefused', 'cancel'],
    confirming: ['cancelled', 'rejected', 'delivered', 'confirmSucceeded', 'confirmRejected', 'cancel'],
    confirmed: ['cancelled', 'rejected', 'delivered', 'deliveryTimer', 'cancel'],
    rejecting: ['cancelled', 'rejected', 'rejectSucceeded', 'rejectRejected'],
    withdrawn: ['reserved', 'reservationRefused', 'budgetNotFound', 'reserveRejected'],
    'ended, spent': ['cancelled', 'rejected'],
    'ended, released': [],
  };

  it.each(Object.keys(phases) as Phase[])('are harmless while it is %s', (phase) => {
    const { state, when } = given(...phases[phase]);
    const nothing = { state, effects: [] };
    const heeded = Object.entries(reactions).filter(([, reaction]) => !isDeepStrictEqual(when(reaction).step, nothing));
    expect(heeded.map(([name]) => name).toSorted()).toEqual(expected[phase].toSorted());
  });
});

it('the durations can be set', () => {
  const told = processSpecificationOf(createOrderFulfilment({ approvalSeconds: 1, deliverySeconds: 2 }), orderId);
  expect(told().when(r.placedByGuest).step.effects).toEqual([setsTimer('approval', 1)]);
  expect(told(...phases.confirming).when(r.confirmSucceeded).step.effects).toEqual([setsTimer('delivery', 2)]);
});
