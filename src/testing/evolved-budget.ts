import { z } from 'zod';
import { budgetSlice } from '../domain/budget/budget.ts';
import { budgetCommands, budgetEvents } from '../domain/budget/messages.ts';
import type { RegisteredSlice, Slice } from '../domain/kernel/slice.ts';

/**
 * The slice budget three releases later: once limits were whole euros (`euros`), then cents (`amount`), and now they are `limit`.
 * `ChangeBudgetLimit` and `BudgetLimitChanged` went the same way.
 */
const limitInCents = {
  1: ({ euros }: { euros: number }) => ({ amount: euros * 100 }),
  2: ({ amount }: { amount: number }) => ({ limit: amount }),
};

export const evolvedBudget: RegisteredSlice = {
  ...(budgetSlice as Slice),
  commands: { ...budgetCommands, ChangeBudgetLimit: { ...budgetCommands.ChangeBudgetLimit, schemaVersion: 3 } },
  events: { ...budgetEvents, BudgetLimitChanged: { schemaVersion: 3, payload: z.strictObject({ limit: z.int() }) } },
  upcasters: { ChangeBudgetLimit: limitInCents, BudgetLimitChanged: limitInCents },
};
