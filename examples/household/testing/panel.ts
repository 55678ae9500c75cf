import type { Page } from 'playwright-core';

/** What a panel shows, in the page's words. */
export interface Shown {
  /** Items, total, status; the newest first. */
  readonly orders: readonly (readonly string[])[];
  readonly spent: string;
  readonly reserved: string;
  readonly left: string;
}

/** One user's panel, as a person at the screen or with a screen reader finds it. */
export function panelOf(page: Page, name: string) {
  const panel = page.getByRole('region', { name });
  const texts = (selector: string) => panel.locator(selector).allTextContents();
  const orders = () =>
    panel.getByRole('listitem').evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('.items, .total, .status')].map(({ textContent }) => textContent)),
    );
  const press = (button: string) => panel.getByRole('button', { name: button }).click();

  return {
    press,
    /** By their items. */
    statuses: async () => Object.fromEntries((await orders()).map(([items = '', , status = '']) => [items, status] as const)),
    notice: () => panel.getByRole('alert').innerText(),
    connection: () => panel.getByRole('status').innerText(),
    async shown(): Promise<Shown> {
      const [spent = '', reserved = '', left = ''] = await texts('.spent, .reserved, .left');
      return { orders: await orders(), spent, reserved, left };
    },
    async openBudget(): Promise<void> {
      await press('Open the budget');
      await panel.locator('.left', { hasText: '100.00' }).waitFor();
    },
    async place(item: string, price: string): Promise<void> {
      await panel.getByLabel('Item').fill(item);
      await panel.getByLabel('Unit price').fill(price);
      await press('Place order');
    },
  };
}
