import { createClient } from '@supabase/supabase-js';
import { createIntentClient } from 'intent/client';
import { showBudget } from './budget.ts';
import { showConnection } from './connection.ts';
import { find, findElement } from './dom.ts';
import { createNotice } from './notice.ts';
import { acceptOrders } from './order-form.ts';
import { createOrderList } from './order-list.ts';
import type { PageSettings, PageUser } from './settings.ts';

export interface PanelOptions extends Pick<PageSettings, 'apiUrl' | 'publishableKey'> {
  readonly user: PageUser;
  readonly budgetId: string;
}

/** One user's session: signs in, follows the household, and sends what the user asks for. */
export async function openPanel(panel: HTMLElement, { apiUrl, publishableKey, user, budgetId }: PanelOptions): Promise<void> {
  const [name = user.email] = user.email.split('@');
  panel.ariaLabel = name;
  findElement(panel, 'h2').textContent = name;
  const notice = createNotice(findElement(panel, '.notice'));

  // The sessions of one page must not share what they store.
  const supabase = createClient(apiUrl, publishableKey, { auth: { persistSession: false, storageKey: user.email } });
  const { error } = await supabase.auth.signInWithPassword(user);
  if (error !== null) return notice.say(`Cannot sign in: ${error.message}`);

  const intent = createIntentClient(supabase);
  const tenant = intent.followTenant({ after: 0 });
  showConnection(findElement(panel, '.connection'), tenant);
  showBudget(panel, intent.follow('budget', budgetId), notice);
  const orders = createOrderList(findElement(panel, '.orders'), { intent, tenant, budgetId, notice });
  acceptOrders(find(panel, 'form.place-order', HTMLFormElement), orders);
}
