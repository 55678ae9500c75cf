import { expectTypeOf, test } from 'vitest';
import type { OrderState } from '../domain/order/order.ts';
import type { Follow } from './follow.ts';
import type { RejectionCode } from './commands.ts';
import type { Send } from './send.ts';

// Checked by `tsc`, which fails if a line that must not compile does.

const lines = [{ item: 'Bread', quantity: 2, unitPrice: 350 }];

test('a command has the payload of its type', () => {
  const mustCompile = (send: Send) => send('PlaceOrder', { aggregateId: 'o', payload: { budgetId: 'b', lines }, executeAt: new Date() });
  const mustNotCompile = (send: Send) => [
    // @ts-expect-error the payload of another command
    send('PlaceOrder', { aggregateId: 'o', payload: { limit: 1 } }),
    // @ts-expect-error a field is missing
    send('PlaceOrder', { aggregateId: 'o', payload: { budgetId: 'b' } }),
    // @ts-expect-error a field is of another type
    send('OpenBudget', { aggregateId: 'b', payload: { name: 'Groceries', limit: '100' } }),
    // @ts-expect-error a field that the schema does not have
    send('OpenBudget', { aggregateId: 'b', payload: { name: 'Groceries', limit: 100, currency: 'EUR' } }),
    // @ts-expect-error there is no such command
    send('PaintOrder', { aggregateId: 'o', payload: {} }),
    // @ts-expect-error the aggregate is missing
    send('ApproveOrder', { payload: {} }),
  ];
  expectTypeOf(mustCompile).toBeFunction();
  expectTypeOf(mustNotCompile).toBeFunction();
});

test('a rejection has the codes of its slice', () => {
  expectTypeOf<RejectionCode<'ApproveOrder'>>().toEqualTypeOf<
    'ORDER_ALREADY_PLACED' | 'ORDER_NOT_FOUND' | 'ORDER_NOT_OPEN' | 'NOT_ALLOWED' | 'CONFLICT' | 'INVALID_PAYLOAD'
  >();
});

test('what is followed has the state of its aggregate, and takes only its commands', () => {
  const stateOf = (follow: Follow) => follow('order', 'o').getSnapshot().state;
  expectTypeOf(stateOf).returns.toEqualTypeOf<OrderState>();
  const mustNotCompile = (follow: Follow) => [
    // @ts-expect-error a command of another aggregate
    follow('order', 'o').send('OpenBudget', { payload: { name: 'Groceries', limit: 100 } }),
    // @ts-expect-error there is no such aggregate
    follow('garden', 'g'),
  ];
  expectTypeOf(mustNotCompile).toBeFunction();
});
