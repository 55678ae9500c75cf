import type { Evidence, OrderRow, ShareRow } from './evidence.ts';
import { type Violation, violation } from './violation.ts';

/** D, for the process manager: at rest an order's money stands where its status says. */
export function checkFulfilment({ orders, shares, budgets }: Evidence): Violation[] {
  const shareOf = new Map(shares.map((share) => [`${share.tenantId}/${share.orderId}`, share]));
  const wrong = orders.flatMap((order) => checkOrder(order, shareOf.get(`${order.tenantId}/${order.orderId}`)));
  const overdrawn = budgets
    .filter(({ reserved, spent, limit }) => reserved + spent > limit)
    .map(({ tenantId, budgetId }) => violation('D', 'budget overdrawn', `${tenantId}/${budgetId}`));
  return [...wrong, ...overdrawn];
}

function checkOrder({ tenantId, orderId, status, total }: OrderRow, { reserved, spent } = noShare): Violation[] {
  // `placed` is under way: that it gets no further is for `checkRest` to find.
  if (status === 'placed') return [];
  const isPaid = status === 'confirmed' || status === 'delivered';
  if (reserved === 0 && spent === (isPaid ? total : 0)) return [];
  const found = `${tenantId}/${orderId} is ${status} over ${total}: reserved ${reserved}, spent ${spent}`;
  return [violation('D', "reservation differs from the order's status", found)];
}

const noShare: Pick<ShareRow, 'reserved' | 'spent'> = { reserved: 0, spent: 0 };
