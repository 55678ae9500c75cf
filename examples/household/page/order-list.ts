import { type FollowingTenant, type IntentClient, type PayloadOf, uuidV7 } from 'intent/client';
import { describeItems, listOrders } from './listed-orders.ts';
import type { Notice } from './notice.ts';
import { createOrderRow, type OrderRow } from './order-row.ts';

/** Each is followed by itself; what is older is not shown. */
const maxOrders = 10;

export interface OrderListDeps {
  readonly intent: IntentClient;
  readonly tenant: FollowingTenant;
  readonly budgetId: string;
  readonly notice: Notice;
}

export interface OrderList {
  place(lines: PayloadOf<'PlaceOrder'>['lines']): void;
}

/** Keeps showing the newest orders, and at once those that this user places. */
export function createOrderList(element: HTMLElement, { intent, tenant, budgetId, notice }: OrderListDeps): OrderList {
  const rows = new Map<string, OrderRow>();
  let next = followNext();
  tenant.subscribe(refresh);
  refresh();

  return {
    place(lines) {
      const { orderId, order } = next;
      next = followNext();
      const items = describeItems({ lines });
      const sending = order.send('PlaceOrder', { payload: { budgetId, lines } });
      add(orderId, items, order);
      void notice.watch(`The order of ${items}`, sending);
    },
  };

  /** The order that the form will place is followed already: it can show at once, also without a network. */
  function followNext() {
    const orderId = uuidV7();
    return { orderId, order: intent.follow('order', orderId) };
  }

  function refresh(): void {
    const { events, position, connection } = tenant.getSnapshot();
    // What is still to come may be newer orders: those of the past are not worth following.
    if (position === null || connection.status === 'behind') return;
    const listed = new Map(listOrders(events, { budgetId, maxOrders }).map((order) => [order.orderId, order]));
    for (const [orderId, row] of rows) {
      if (listed.has(orderId) || !row.isSettledAt(position)) continue;
      row.remove();
      rows.delete(orderId);
    }
    let older: Element | null = null;
    for (const order of listed.values()) {
      const row = rows.get(order.orderId) ?? add(order.orderId, order.items, intent.follow('order', order.orderId));
      row.explain(order);
      // In the log's order, below what is not in it yet. Moved only if it must be, because that takes the focus away.
      if (row.element.nextElementSibling !== older) element.insertBefore(row.element, older);
      older = row.element;
    }
  }

  function add(orderId: string, items: string, order: typeof next.order): OrderRow {
    const row = createOrderRow(order, { items, notice });
    rows.set(orderId, row);
    element.prepend(row.element);
    return row;
  }
}
