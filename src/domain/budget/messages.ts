import { z } from 'zod';
import { defineCommands, defineEvents, type MessageOf } from '../kernel/message.ts';
import { uuidPattern } from '../kernel/patterns.ts';
import { budgetCatalogue } from './catalogue.ts';

export const budgetId = z.string().regex(new RegExp(budgetCatalogue.aggregateIdPattern));

/** Money in cents: an integer from 0 to 2^53−1. */
const cents = z.int().min(0);
const orderId = z.string().regex(new RegExp(uuidPattern));

export const budgetCommands = defineCommands(budgetCatalogue, {
  OpenBudget: z.strictObject({ name: z.string().min(1).max(200), limit: cents }),
  ChangeBudgetLimit: z.strictObject({ limit: cents }),
  ReserveBudget: z.strictObject({ orderId, amount: cents }),
  SpendBudget: z.strictObject({ orderId }),
  ReleaseBudget: z.strictObject({ orderId }),
});

export type BudgetCommand = MessageOf<typeof budgetCommands>;

/** Amounts are in cents. */
export const budgetEvents = defineEvents(budgetCatalogue, {
  BudgetOpened: z.strictObject({ name: z.string(), limit: cents }),
  BudgetLimitChanged: z.strictObject({ limit: cents }),
  BudgetReserved: z.strictObject({ orderId, amount: cents }),
  BudgetReservationRefused: z.strictObject({ orderId, amount: cents, available: z.int() }),
  BudgetSpent: z.strictObject({ orderId, amount: cents }),
  BudgetReleased: z.strictObject({ orderId, amount: cents }),
});

export type BudgetEvent = MessageOf<typeof budgetEvents>;
