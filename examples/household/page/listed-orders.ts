import type { PayloadOf, RecordedEvent } from 'intent/client';

type OrderPayload = PayloadOf<'PlaceOrder'>;

/** What the log tells of an order beyond its state. */
export interface ListedOrder {
  readonly orderId: string;
  readonly items: string;
  /** Why it was rejected; empty if it was not. */
  readonly reason: string;
}

/** The newest orders against a budget, the oldest of them first. Other events, also of types that are unknown here, do not matter. */
export function listOrders(events: readonly RecordedEvent[], { budgetId, maxOrders }: { budgetId: string; maxOrders: number }): ListedOrder[] {
  const orders = new Map<string, ListedOrder>();
  for (const { type, aggregateId: orderId, payload } of events) {
    const order = orders.get(orderId);
    if (type === 'OrderPlaced') {
      const placed = payload as OrderPayload;
      if (placed.budgetId === budgetId) orders.set(orderId, { orderId, items: describeItems(placed), reason: '' });
    } else if (type === 'OrderRejected' && order !== undefined) {
      orders.set(orderId, { ...order, reason: (payload as { reason: string }).reason });
    }
  }
  return [...orders.values()].slice(-maxOrders);
}

export function describeItems({ lines }: Pick<OrderPayload, 'lines'>): string {
  return lines.map(({ item, quantity }) => `${quantity} × ${item}`).join(', ');
}
