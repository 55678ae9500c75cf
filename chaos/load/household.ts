import type pg from 'pg';
import type { TestTenant } from '../../src/testing/tenant.ts';
import { createTenant } from '../../src/testing/tenant.ts';

/** A tenant of the run, and what its clients know of it in common. */
export interface Household extends TestTenant {
  /** Those that are there; beside them orders name one that nobody has opened. */
  readonly budgetIds: readonly string[];
  /** The latest ones. */
  readonly orderIds: string[];
}

export const budgets = { groceries: 2_000_000_000, treats: 20_000 } as const;
export const unopenedBudget = 'unopened';
const isolations = ['shared', 'shared', 'dedicated'] as const;

export async function createHouseholds(admin: pg.Pool): Promise<Household[]> {
  const households: Household[] = [];
  for (const isolation of isolations) {
    households.push({ ...(await createTenant(admin, isolation)), budgetIds: Object.keys(budgets), orderIds: [] });
  }
  return households;
}
