import { z } from 'zod';
import { type CommandOf, defineCommands } from '../kernel/message.ts';
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

export type BudgetCommand = CommandOf<typeof budgetCommands>;

/** Amounts are in cents. */
export type BudgetEvent =
  | { readonly type: 'BudgetOpened'; readonly payload: { readonly name: string; readonly limit: number } }
  | { readonly type: 'BudgetLimitChanged'; readonly payload: { readonly limit: number } }
  | { readonly type: 'BudgetReserved'; readonly payload: { readonly orderId: string; readonly amount: number } }
  | {
      readonly type: 'BudgetReservationRefused';
      readonly payload: { readonly orderId: string; readonly amount: number; readonly available: number };
    }
  | { readonly type: 'BudgetSpent'; readonly payload: { readonly orderId: string; readonly amount: number } }
  | { readonly type: 'BudgetReleased'; readonly payload: { readonly orderId: string; readonly amount: number } };
