import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@supabase/supabase-js';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { findChromium, startChromium } from '../../src/testing/chromium.ts';
import { expectSoon } from '../../src/testing/expect-soon.ts';
import { needs } from '../../src/testing/needs.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../../src/testing/tcp-proxy.ts';
import { createLog, type Log } from './testing/log.ts';
import { panelOf } from './testing/panel.ts';

const stack = inject('stack');
const chromium = findChromium();

let proxy: TcpProxy;
let directory: string;
let server: ChildProcess;
let address: URL;
beforeAll(async () => {
  const { hostname, port } = new URL(stack.apiUrl);
  proxy = await startTcpProxy({ host: hostname, port: Number(port) });
  directory = await mkdtemp(join(tmpdir(), 'intent-household-'));
  const stackFile = join(directory, 'stack.json');
  await writeFile(stackFile, JSON.stringify({ ...stack, apiUrl: throughProxy(stack.apiUrl, proxy).replace(/\/$/, '') }), { mode: 0o600 });
  server = spawn(process.execPath, [join(import.meta.dirname, 'serve.ts'), stackFile], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: server.stdout! }), 'line')) as [string];
  address = new URL(/http\S+/.exec(line)![0]);
});
afterAll(async () => {
  server.kill('SIGTERM');
  await once(server, 'exit');
  await Promise.all([proxy.stop(), rm(directory, { recursive: true })]);
});

it('the page and the passwords in its settings are served under the address that was printed, and under no other', async () => {
  const status = async (path: string) => (await fetch(new URL(path, address))).status;
  expect(await Promise.all([status('.'), status('settings.json'), status('/'), status('/settings.json')])).toEqual([200, 200, 404, 404]);
});

describe('the household page in Chromium', needs(chromium, 'there is no Chromium'), () => {
  const budgetId = `b-${randomUUID()}`;
  let browser: Browser;
  let page: Page;
  let alice: ReturnType<typeof panelOf>;
  let bob: ReturnType<typeof panelOf>;
  let log: Log;
  const faults: Error[] = [];

  beforeAll(async () => {
    browser = await startChromium(chromium!);
    page = await openPage();
    [alice, bob] = [panelOf(page, 'alice'), panelOf(page, 'bob')];
    const supabase = createClient(stack.apiUrl, stack.publishableKey, { auth: { persistSession: false } });
    await supabase.auth.signInWithPassword(stack.users.find(({ email }) => email.startsWith('bob@'))!);
    log = createLog(supabase, budgetId);
    await alice.openBudget();
  });
  afterEach(() => expectLogIn(alice, bob));
  afterAll(() => browser.close());

  it('shows an order of alice to bob, and what it leaves of the budget', async () => {
    await alice.place('Bread', '3.50');
    await expectSoon(bob.shown).toMatchObject({ orders: [['1 × Bread', '3.50', 'confirmed']], left: '96.50' });
  });

  it('shows an order as being sent before the server has it, to who sends it alone, and then as placed', async () => {
    const release = await holdNextCommand();
    await alice.place('Milk', '1.20');
    await expectSoon(alice.shown).toMatchObject({ orders: [['1 × Milk', '1.20', 'placed, being sent …'], ['1 × Bread', '3.50', 'confirmed']] });
    expect(await bob.shown()).toMatchObject({ orders: [['1 × Bread', '3.50', 'confirmed']] });
    release();
    for (const panel of [alice, bob]) await expectSoon(panel.statuses).toMatchObject({ '1 × Milk': 'confirmed' });
  });

  it('tells why an order over the budget was rejected, and has the whole budget left again', async () => {
    const { left } = await bob.shown();
    await bob.place('Piano', '350.00');
    for (const panel of [alice, bob]) await expectSoon(panel.statuses).toMatchObject({ '1 × Piano': 'rejected: budget exceeded' });
    expect(await bob.shown()).toMatchObject({ left });
  });

  it('takes an order back that the server does not take, and tells why', async () => {
    const release = await holdNextCommand();
    await bob.place('Yacht', '35000000.00');
    await expectSoon(bob.statuses).toMatchObject({ '1 × Yacht': 'placed, being sent …' });
    release();
    await expectSoon(bob.notice).toMatch(/^The order of 1 × Yacht was not taken: unitPrice: Too big/);
    expect(await bob.statuses()).not.toHaveProperty('1 × Yacht');
  });

  it('takes a cancellation back where the delivery was faster (ORDER_NOT_OPEN), and tells why', async () => {
    await bob.place('Cheese', '5.00');
    for (const panel of [alice, bob]) await expectSoon(panel.statuses).toMatchObject({ '1 × Cheese': 'confirmed' });
    const release = await holdNextCommand();
    await bob.press('Cancel 1 × Cheese');
    await expectSoon(bob.statuses).toMatchObject({ '1 × Cheese': 'cancelled, being sent …' });
    await alice.press('Delivered 1 × Cheese');
    await expectSoon(bob.statuses).toMatchObject({ '1 × Cheese': 'delivered, being sent …' });
    release();
    await expectSoon(bob.notice).toMatch(/^Cancelling 1 × Cheese was rejected: .* this one is delivered\.$/);
    await expectSoon(bob.statuses).toMatchObject({ '1 × Cheese': 'delivered' });
  });

  it('says that it is offline, takes orders there, and is up to date again afterwards: nothing is missing, nothing doubled', async () => {
    await page.context().setOffline(true);
    // The browser leaves a WebSocket open that has been there before.
    proxy.cut();
    await expectSoon(bob.connection).toBe('offline');
    await alice.place('Salt', '1.00');
    const elsewhere = await openPage();
    const otherAlice = panelOf(elsewhere, 'alice');
    await expectSoon(otherAlice.connection).toBe('live');
    await otherAlice.place('Tea', '4.00');
    await expectSoon(otherAlice.statuses).toMatchObject({ '1 × Tea': 'confirmed' });
    await expectSoon(alice.notice).toBe('The order of 1 × Salt got no answer. Should it have been taken, it will show.');
    await bob.place('Honey', '6.00');
    expect(await bob.statuses()).toMatchObject({ '1 × Honey': 'placed, being sent …' });
    expect(await bob.statuses()).not.toHaveProperty('1 × Tea');
    await page.context().setOffline(false);
    for (const panel of [alice, bob, otherAlice]) await expectSoon(panel.statuses).toMatchObject({ '1 × Tea': 'confirmed', '1 × Honey': 'confirmed' });
    // The state is there at once; supabase-js opens its socket again after ten seconds at most.
    await expect.poll(bob.connection, { timeout: 15_000 }).toBe('live');
    await expectLogIn(alice, bob, otherAlice, panelOf(elsewhere, 'bob'));
    await elsewhere.context().close();
  });

  /** In a browser context of its own, as on another machine. */
  async function openPage(): Promise<Page> {
    const opened = await browser.newPage();
    opened.on('pageerror', (error) => faults.push(error));
    await opened.goto(`${address.href}?budget=${budgetId}`);
    return opened;
  }

  /** The next command of the page does not reach the server before the result is called. */
  async function holdNextCommand(): Promise<() => void> {
    const held = Promise.withResolvers<void>();
    const handle = (route: { continue(): Promise<void> }) => held.promise.then(() => route.continue());
    await page.route('**/functions/v1/command', handle, { times: 1 });
    return held.resolve;
  }

  /** The panels show what the log says, and no script has failed. */
  async function expectLogIn(...panels: readonly ReturnType<typeof panelOf>[]): Promise<void> {
    expect(faults).toEqual([]);
    await vi.waitFor(
      async () => {
        const truth = await log.fold();
        for (const panel of panels) expect(await panel.shown()).toEqual(truth);
      },
      { timeout: 10_000, interval: 100 },
    );
  }
});
