import { isDeepStrictEqual } from 'node:util';
import { listAmounts } from '../../src/domain/budget/amounts.ts';
import type { BudgetState } from '../../src/domain/budget/budget.ts';
import type { OrderState } from '../../src/domain/order/order.ts';
import { findSlice } from '../../src/domain/registry.ts';
import type { BudgetRow, EventRow, Evidence, OrderRow, ShareRow } from './evidence.ts';
import { groupBy, streamKey } from './group.ts';
import { type Violation, violation } from './violation.ts';

/** D, for read models: the rows are what the domain's own `evolve` makes of the events. */
export function checkReadModels({ events, orders, budgets, shares }: Evidence): Violation[] {
  const folded = [...groupBy(events, streamKey).values()].map(fold);
  const of = (type: string) => folded.filter(({ aggregateType }) => aggregateType === type);
  return [
    ...compare('orders', of('order').flatMap(orderRow), orders, ({ tenantId, orderId }) => `${tenantId}/${orderId}`),
    ...compare('budgets', of('budget').flatMap(budgetRow), budgets, ({ tenantId, budgetId }) => `${tenantId}/${budgetId}`),
    ...compare('budget_shares', of('budget').flatMap(shareRows), shares.filter(isUsed), shareKey),
  ];
}

function shareKey({ tenantId, budgetId, orderId }: ShareRow): string {
  return `${tenantId}/${budgetId}/${orderId}`;
}

interface Folded {
  readonly tenantId: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly state: unknown;
}

function fold(stream: readonly EventRow[]): Folded {
  const { tenantId, aggregateType, aggregateId } = stream[0]!;
  const { initialState, evolve } = findSlice(aggregateType)!.decider;
  const inOrder = stream.toSorted((one, other) => one.version - other.version);
  return { tenantId, aggregateType, aggregateId, version: inOrder.at(-1)!.version, state: inOrder.reduce(evolve, initialState) };
}

function orderRow({ tenantId, aggregateId: orderId, version, state }: Folded): OrderRow[] {
  const order = state as OrderState;
  if (order.status === 'not_placed') return [];
  const { budgetId, status, total, placedBy } = order;
  return [{ tenantId, orderId, budgetId, status, total, placedBy, version }];
}

function budgetRow({ tenantId, aggregateId: budgetId, version, state }: Folded): BudgetRow[] {
  const budget = state as BudgetState;
  if (budget.status === 'not_open') return [];
  return [{ tenantId, budgetId, limit: budget.limit, reserved: budget.reserved.total, spent: budget.spent.total, version }];
}

function shareRows({ tenantId, aggregateId: budgetId, state }: Folded): ShareRow[] {
  const budget = state as BudgetState;
  if (budget.status === 'not_open') return [];
  const [reserved, spent] = [listAmounts(budget.reserved), listAmounts(budget.spent)];
  return [...new Set([...Object.keys(reserved), ...Object.keys(spent)])]
    .map((orderId) => ({ tenantId, budgetId, orderId, reserved: reserved[orderId] ?? 0, spent: spent[orderId] ?? 0 }))
    .filter(isUsed);
}

/** A share may stay behind as a row of zeros. */
function isUsed({ reserved, spent }: ShareRow): boolean {
  return reserved !== 0 || spent !== 0;
}

function compare<Row>(model: string, expected: readonly Row[], found: readonly Row[], keyOf: (row: Row) => string): Violation[] {
  const rows = new Map(found.map((row) => [keyOf(row), row]));
  const made = new Map(expected.map((row) => [keyOf(row), row]));
  return [...new Set([...rows.keys(), ...made.keys()])]
    .filter((key) => !isDeepStrictEqual(rows.get(key), made.get(key)))
    .map((key) => {
      const [kept, folded] = [rows, made].map((side) => JSON.stringify(side.get(key)));
      return violation('D', 'read model differs from its events', `${model} ${key}: ${kept} for ${folded}`);
    });
}
