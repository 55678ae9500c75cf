import type { Following, StateOf } from 'intent/client';
import { copyOf, find, findElement } from './dom.ts';
import type { ListedOrder } from './listed-orders.ts';
import { formatCents } from './money.ts';
import type { Notice } from './notice.ts';

type OrderStatus = StateOf<'order'>['status'];

const words: Readonly<Record<OrderStatus, string>> = {
  not_placed: '',
  awaiting_approval: 'waits for approval',
  placed: 'placed',
  confirmed: 'confirmed',
  rejected: 'rejected',
  cancelled: 'cancelled',
  delivered: 'delivered',
};

const cancellable: readonly OrderStatus[] = ['awaiting_approval', 'placed', 'confirmed'];

export interface OrderRow {
  readonly element: HTMLElement;
  explain(order: ListedOrder): void;
  /** Whether the log has nothing more to say of it than what is known at this position of the tenant. */
  isSettledAt(position: number): boolean;
  remove(): void;
}

/** One order, as it will be should all that is pending be accepted. One that is not placed, or taken back, does not show. */
export function createOrderRow(order: Following<'order'>, { items, notice }: { items: string; notice: Notice }): OrderRow {
  const element = copyOf('order');
  const [cancel, deliver] = [find(element, '.cancel', HTMLButtonElement), find(element, '.deliver', HTMLButtonElement)];
  let reason = '';

  const render = () => {
    const { state, pending } = order.getSnapshot();
    const isPending = pending.length > 0;
    element.hidden = state.status === 'not_placed';
    if (state.status === 'not_placed') return;
    element.dataset['status'] = state.status;
    element.classList.toggle('pending', isPending);
    element.ariaBusy = String(isPending);
    findElement(element, '.total').textContent = formatCents(state.total);
    findElement(element, '.status').textContent = `${words[state.status]}${reason && `: ${reason}`}${isPending ? ', being sent …' : ''}`;
    cancel.hidden = !cancellable.includes(state.status);
    deliver.hidden = state.status !== 'confirmed';
  };

  findElement(element, '.items').textContent = items;
  cancel.ariaLabel = `Cancel ${items}`;
  deliver.ariaLabel = `Delivered ${items}`;
  cancel.addEventListener('click', () => void notice.watch(`Cancelling ${items}`, order.send('CancelOrder', { payload: {} })));
  deliver.addEventListener('click', () => void notice.watch(`Delivering ${items}`, order.send('RecordDelivery', { payload: {} })));
  const unsubscribe = order.subscribe(render);
  render();

  return {
    element,
    explain(listed) {
      if (listed.reason === reason) return;
      ({ reason } = listed);
      render();
    },
    isSettledAt(tenantPosition) {
      const { pending, position } = order.getSnapshot();
      return pending.length === 0 && (position ?? 0) <= tenantPosition;
    },
    remove() {
      unsubscribe();
      order.close();
      element.remove();
    },
  };
}
