import type { Role } from '../../src/domain/kernel/message.ts';
import type { Random } from '../../src/testing/random.ts';
import { budgets, type Household, unopenedBudget } from './household.ts';

export interface LoadCommand {
  readonly commandId: string;
  readonly type: string;
  readonly aggregateType: 'order' | 'budget';
  readonly aggregateId: string;
  readonly payload: unknown;
  readonly expectedVersion: number | null;
}

const items = ['Bread', 'Bread', 'Milk', 'Cheese', '[refuse] Caviar', '[flaky] Fish', '[twice] Wine'] as const;
/** What a role sends, the more often the more often it stands here. Some of it is refused by the domain. */
const kinds = {
  owner: ['PlaceOrder', 'PlaceOrder', 'ApproveOrder', 'ApproveOrder', 'CancelOrder', 'ChangeBudgetLimit', 'OpenBudget', 'RecordDelivery'],
  member: ['PlaceOrder', 'PlaceOrder', 'PlaceOrder', 'CancelOrder', 'RecordDelivery'],
  guest: ['PlaceOrder', 'PlaceOrder', 'CancelOrder'],
} as const satisfies Record<Role, readonly string[]>;

const rememberedOrders = 40;
const staleVersionChance = 0.03;
const unopenedChance = 0.05;

export function openBudgets({ budgetIds }: Household, random: Random): LoadCommand[] {
  return budgetIds.map((budgetId) => ({
    ...command('OpenBudget', 'budget', budgetId, { name: budgetId, limit: budgets[budgetId as keyof typeof budgets] }, random),
    expectedVersion: 0,
  }));
}

export function nextCommand(household: Household, role: Role, random: Random): LoadCommand {
  const made = make(household, pick(kinds[role], random), random);
  return random.chance(staleVersionChance) ? { ...made, expectedVersion: 99 } : made;
}

function make({ budgetIds, orderIds }: Household, kind: (typeof kinds)[Role][number], random: Random): LoadCommand {
  const budgetId = pick(budgetIds, random);
  switch (kind) {
    case 'OpenBudget':
      return command(kind, 'budget', budgetId, { name: 'Once more', limit: 1 }, random);
    case 'ChangeBudgetLimit':
      return command(kind, 'budget', budgetId, { limit: budgets[budgetId as keyof typeof budgets] + random.below(10_000) }, random);
    case 'PlaceOrder': {
      const orderId = uuid(random);
      orderIds.push(orderId);
      if (orderIds.length > rememberedOrders) orderIds.shift();
      const lines = [{ item: pick(items, random), quantity: 1 + random.below(3), unitPrice: random.below(2_000) }];
      return command(kind, 'order', orderId, { budgetId: random.chance(unopenedChance) ? unopenedBudget : budgetId, lines }, random);
    }
    case 'ApproveOrder':
    case 'CancelOrder':
    case 'RecordDelivery':
      return command(kind, 'order', orderIds.length === 0 ? uuid(random) : pick(orderIds, random), {}, random);
    default:
      return kind satisfies never;
  }
}

function command(
  type: string,
  aggregateType: LoadCommand['aggregateType'],
  aggregateId: string,
  payload: unknown,
  random: Random,
): LoadCommand {
  return { commandId: uuid(random), type, aggregateType, aggregateId, payload, expectedVersion: null };
}

/** Version 4, from the run's own source. */
export function uuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => random.below(16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

export function pick<Item>(list: readonly Item[], random: Random): Item {
  return list[random.below(list.length)]!;
}
