import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@supabase/supabase-js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BudgetEvent } from '../domain/budget/messages.ts';
import { createUser } from '../local/gateway/seed-user.ts';
import { password, publishableKey } from '../local/gateway/testing/test-gateway.ts';
import { collect } from '../testing/collect.ts';
import { createRandom, newSeed, type Random } from '../testing/random.ts';
import { startRealtimeProxy } from '../testing/realtime-proxy.ts';
import { type RestartableGateway, startRestartableGateway } from '../testing/restartable-gateway.ts';
import { fold } from './fold.ts';
import { createIntentClient } from './intent-client.ts';
import { slices } from './slices.ts';

const clients = 4;
const events = 80;
const longestPauseMs = 80;
const budgets = ['groceries', 'holidays', 'garden'];
const seed = Number(process.env['INTENT_TEST_SEED'] ?? newSeed());

let gateway: RestartableGateway;

beforeAll(async () => {
  gateway = await startRestartableGateway();
}, 60_000);

afterAll(() => gateway.stop());

test('whatever is lost, doubled, delayed, cut, expired or restarted, positions come as 1..n and each state is a fold of the log', async () => {
  console.log(`seed ${seed} (again: INTENT_TEST_SEED=${seed})`);
  const random = createRandom(seed);
  const runs = Array.from({ length: clients }, () => run(createRandom(random.below(2 ** 32))));
  const restart = pause((events * longestPauseMs) / 4).then(() => gateway.restart());
  const [, ...done] = await Promise.all([restart, ...runs]);
  const calm = ['cut', 'drop', 'double', 'delay', 'short_token'].filter((what) => done.every((each) => each[what] === 0));
  expect(calm).toEqual([]);
}, 60_000);

/** A tenant, and a client that follows it behind a wild network. Returns what the network did. */
async function run(random: Random): Promise<Readonly<Record<string, number>>> {
  const tenantId = randomUUID();
  const email = `${tenantId}@client.example`;
  const connection = await gateway.admin.connect();
  const userId = await createUser(connection, { email, password });
  connection.release();
  await gateway.admin.query(`select intent.create_tenant($1, 'Rose')`, [tenantId]);
  await gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [tenantId, userId]);
  // A hint for each append, so that there is much to lose.
  await gateway.admin.query('select intent.set_hint_limit($1, null)', [tenantId]);

  const proxy = await startRealtimeProxy({
    target: gateway.url,
    random,
    shorten: (token) => gateway.tokens.sign({ ...decodeJwt(token), exp: Math.floor(Date.now() / 1000) + 1 }),
  });
  const supabase = createClient(proxy.url, publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { reconnectAfterMs: () => 100 },
  });
  const { error } = await supabase.auth.signInWithPassword({ email, password });
  expect(error).toBeNull();

  const intent = createIntentClient(supabase);
  const tenantFeed = intent.followTenant({ after: 0, keep: 10 });
  const budget = intent.follow('budget', budgets[0]!);
  const shown: { version: number; state: unknown }[] = [];
  budget.subscribe(() => shown.push(budget.getSnapshot()));
  const received = collect(tenantFeed);

  for (const budgetId of budgets) await append(tenantId, budgetId, { type: 'BudgetOpened', payload: { name: budgetId, limit: 1e9 } });
  for (let n = budgets.length; n < events; n += 1) {
    const reservation = { orderId: `order-${random.below(9)}`, amount: random.below(1_000) };
    await append(tenantId, budgets[random.below(budgets.length)]!, { type: 'BudgetReserved', payload: reservation });
    await pause(random.below(longestPauseMs));
  }
  proxy.calm();
  await Promise.all([tenantFeed.waitFor(events, { timeoutMs: 30_000 }), budget.waitFor(events, { timeoutMs: 30_000 })]);
  tenantFeed.close();

  const positions = (await received).map(({ position }) => position);
  expect(positions).toEqual(Array.from({ length: events }, (_, index) => index + 1));
  const log = (await received).filter(({ aggregateId }) => aggregateId === budgets[0]);
  expect(budget.getSnapshot()).toMatchObject({ version: log.length, state: fold(slices.budget, log) });
  for (const { version, state } of shown) expect(state).toEqual(fold(slices.budget, log.slice(0, version)));

  budget.close();
  await supabase.realtime.disconnect();
  await proxy.stop();
  return proxy.done;
}


/** A later reservation of an order replaces an earlier one: the state tells which events were applied, and in which order. */
async function append(tenantId: string, aggregateId: string, event: BudgetEvent): Promise<void> {
  await gateway.admin.query(`select from intent.append_events($1, 'budget', $2, null, $3)`, [
    tenantId,
    aggregateId,
    JSON.stringify([{ ...event, schemaVersion: 1, metadata: {} }]),
  ]);
}
