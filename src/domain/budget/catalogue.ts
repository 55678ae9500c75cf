import type { Catalogue } from '../kernel/message.ts';

export const budgetCatalogue = {
  aggregateType: 'budget',
  aggregateIdPattern: '^[a-z0-9][a-z0-9-]{0,63}$',
  commands: {
    OpenBudget: { schemaVersion: 1, sentBy: ['owner'] },
    ChangeBudgetLimit: { schemaVersion: 1, sentBy: ['owner'] },
    ReserveBudget: { schemaVersion: 1, sentBy: ['system'] },
    SpendBudget: { schemaVersion: 1, sentBy: ['system'] },
    ReleaseBudget: { schemaVersion: 1, sentBy: ['system'] },
  },
  events: {
    BudgetOpened: { schemaVersion: 1 },
    BudgetLimitChanged: { schemaVersion: 1 },
    BudgetReserved: { schemaVersion: 1 },
    BudgetReservationRefused: { schemaVersion: 1 },
    BudgetSpent: { schemaVersion: 1 },
    BudgetReleased: { schemaVersion: 1 },
  },
} as const satisfies Catalogue;
