import type { SupabaseClient } from '@supabase/supabase-js';
import { openApi } from '../../../src/client/api.ts';
import { fold } from '../../../src/client/fold.ts';
import type { PayloadOf, RecordedEvent, StateOf } from '../../../src/client/index.ts';
import { budgetSlice } from '../../../src/domain/budget/budget.ts';
import { orderSlice } from '../../../src/domain/order/order.ts';
import type { Shown } from './panel.ts';

export interface Log {
  /** What a panel must show: all events of `api.read_feed`, folded. */
  fold(): Promise<Shown>;
}

export function createLog(supabase: SupabaseClient, budgetId: string): Log {
  return {
    async fold() {
      const streams = Map.groupBy(await readFeed(supabase), ({ aggregateType, aggregateId }) => `${aggregateType} ${aggregateId}`);
      const budget = fold(budgetSlice, streams.get(`budget ${budgetId}`) ?? []) as StateOf<'budget'>;
      if (budget.status !== 'open') throw new Error(`The log does not open the budget ${budgetId}.`);
      const orders = [...streams.values()].filter(([first]) => isOrderOf(budgetId, first!)).map(showOrder);
      const [spent, reserved] = [budget.spent.total, budget.reserved.total];
      return { orders: orders.toReversed(), spent: show(spent), reserved: show(reserved), left: show(budget.limit - spent - reserved) };
    },
  };
}

async function readFeed(supabase: SupabaseClient): Promise<RecordedEvent[]> {
  const api = await openApi(supabase);
  const events: RecordedEvent[] = [];
  for (let head = 1; (events.at(-1)?.position ?? 0) < head; ) {
    const page = await api.readFeed(events.at(-1)?.position ?? 0);
    events.push(...page.events);
    head = page.headPosition;
  }
  return events;
}

function isOrderOf(budgetId: string, { type, payload }: RecordedEvent): boolean {
  return type === 'OrderPlaced' && (payload as PayloadOf<'PlaceOrder'>).budgetId === budgetId;
}

function showOrder(events: readonly RecordedEvent[]): string[] {
  const order = fold(orderSlice, events) as StateOf<'order'>;
  if (order.status === 'not_placed') throw new Error('An order begins with its placing.');
  const { lines } = events[0]!.payload as PayloadOf<'PlaceOrder'>;
  const rejection = events.find(({ type }) => type === 'OrderRejected')?.payload as { reason: string } | undefined;
  const items = lines.map(({ quantity, item }) => `${quantity} × ${item}`).join(', ');
  return [items, show(order.total), rejection === undefined ? order.status : `${order.status}: ${rejection.reason}`];
}

function show(cents: number): string {
  return (cents / 100).toFixed(2);
}
