import { find } from './dom.ts';
import { readCents } from './money.ts';
import type { OrderList } from './order-list.ts';

/** Orders what the form says, and empties it for the next one. What is allowed the domain says. */
export function acceptOrders(form: HTMLFormElement, orders: OrderList): void {
  const input = (name: string) => find(form, `[name=${name}]`, HTMLInputElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    orders.place([{ item: input('item').value, quantity: input('quantity').valueAsNumber, unitPrice: readCents(input('price')) }]);
    form.reset();
    input('item').focus();
  });
}
