import { z } from 'zod';
import { defineCommands, defineEvents, type MessageOf } from '../kernel/message.ts';
import { uuidPattern } from '../kernel/patterns.ts';

const budgetIdPattern = '^[a-z0-9][a-z0-9-]{0,63}$';
export const budgetId = z.string().regex(new RegExp(budgetIdPattern));

/** Money in cents: an integer from 0 to 2^53−1. */
const cents = z.int().min(0);
const orderId = z.string().regex(new RegExp(uuidPattern));

export const budgetCommands = defineCommands(
  { type: 'budget', idPattern: budgetIdPattern },
  {
    OpenBudget: { sentBy: ['owner'], payload: z.strictObject({ name: z.string().min(1).max(200), limit: cents }) },
    ChangeBudgetLimit: { sentBy: ['owner'], payload: z.strictObject({ limit: cents }) },
    ReserveBudget: { sentBy: ['system'], payload: z.strictObject({ orderId, amount: cents }) },
    SpendBudget: { sentBy: ['system'], payload: z.strictObject({ orderId }) },
    ReleaseBudget: { sentBy: ['system'], payload: z.strictObject({ orderId }) },
  },
);

export type BudgetCommand = MessageOf<typeof budgetCommands>;

/** Amounts are in cents. */
export const budgetEvents = defineEvents({
  BudgetOpened: { payload: z.strictObject({ name: z.string(), limit: cents }) },
  BudgetLimitChanged: { payload: z.strictObject({ limit: cents }) },
  BudgetReserved: { payload: z.strictObject({ orderId, amount: cents }) },
  BudgetReservationRefused: { payload: z.strictObject({ orderId, amount: cents, available: z.int() }) },
  BudgetSpent: { payload: z.strictObject({ orderId, amount: cents }) },
  BudgetReleased: { payload: z.strictObject({ orderId, amount: cents }) },
});

export type BudgetEvent = MessageOf<typeof budgetEvents>;
