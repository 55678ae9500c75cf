import { emptyRecord, entriesOf, type PersistentRecord, valueOf, withEntry, withoutEntry } from '../kernel/persistent-record.ts';

/** By order id, in cents, with their sum: a budget sees as many orders as it has events. */
export interface Amounts {
  readonly total: number;
  readonly byOrder: PersistentRecord<number>;
}

export const noAmounts: Amounts = { total: 0, byOrder: emptyRecord };

export function hasAmountFor(orderId: string, { byOrder }: Amounts): boolean {
  return valueOf(byOrder, orderId) !== undefined;
}

export function amountFor(orderId: string, { byOrder }: Amounts): number {
  return valueOf(byOrder, orderId) ?? 0;
}

/** In the place of what there was for this order. */
export function withAmount(orderId: string, amount: number, amounts: Amounts): Amounts {
  return {
    total: amounts.total - amountFor(orderId, amounts) + amount,
    byOrder: withEntry(amounts.byOrder, orderId, amount),
  };
}

export function withoutAmount(orderId: string, amounts: Amounts): Amounts {
  return {
    total: amounts.total - amountFor(orderId, amounts),
    byOrder: withoutEntry(amounts.byOrder, orderId),
  };
}

/** All of them, to look through. */
export function listAmounts({ byOrder }: Amounts): Readonly<Record<string, number>> {
  return Object.fromEntries(entriesOf(byOrder));
}
