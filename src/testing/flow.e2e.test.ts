import { randomUUID } from 'node:crypto';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { playWalkthrough } from '../../examples/walkthrough.ts';

const stack = inject('stack');

async function signIn(name: string): Promise<SupabaseClient> {
  const user = stack.users.find(({ email }) => email.startsWith(`${name}@`))!;
  const supabase = createClient(stack.apiUrl, stack.publishableKey, { auth: { persistSession: false } });
  const { error } = await supabase.auth.signInWithPassword(user);
  expect(error).toBeNull();
  return supabase;
}

async function send(supabase: SupabaseClient, command: object, headers: Record<string, string> = { Prefer: 'wait=15' }) {
  const { data } = await supabase.auth.getSession();
  const response = await fetch(`${stack.apiUrl}/functions/v1/command`, {
    method: 'POST',
    headers: {
      apikey: stack.publishableKey,
      Authorization: `Bearer ${data.session?.access_token}`,
      'Content-Type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(command),
  });
  return { status: response.status, type: response.headers.get('content-type'), body: (await response.json()) as Record<string, unknown> };
}

const placeOrder = (budgetId = 'groceries') => ({
  commandId: randomUUID(),
  type: 'PlaceOrder',
  aggregateId: randomUUID() as string,
  payload: { budgetId, lines: [{ item: 'Bread', quantity: 2, unitPrice: 350 }] },
});

let alice: SupabaseClient;
let bob: SupabaseClient;
let carol: SupabaseClient;
let dave: SupabaseClient;
beforeAll(async () => {
  [alice, bob, carol, dave] = await Promise.all([signIn('alice'), signIn('bob'), signIn('carol'), signIn('dave')]);
});
afterEach(async () => {
  await Promise.all([alice, bob, carol, dave].map((supabase) => supabase.removeAllChannels()));
});

describe('the example of `npm start`', () => {
  it('plays to its end, twice, and prints a line a step', async () => {
    for (let run = 0; run < 2; run += 1) {
      const lines: string[] = [];
      await playWalkthrough(stack, (line) => lines.push(line));
      expect(lines).toHaveLength(7);
      expect(lines).toContainEqual(expect.stringMatching(/bob +sees it live.* (placed, version 1|confirmed, version 2) +\d+ +\d+$/));
    }
  });
});

describe('a command over HTTP', () => {
  it('is acknowledged with 202 at once, and its outcome is there for who asks again with the same id', async () => {
    const command = placeOrder();
    const first = await send(alice, command, {});
    expect(first).toMatchObject({ status: 202, body: { commandId: command.commandId, status: 'pending', duplicate: false } });
    const again = await send(alice, command);
    expect(again).toMatchObject({
      status: 200,
      body: { status: 'succeeded', duplicate: true, outcome: { aggregateType: 'order', aggregateId: command.aggregateId, firstVersion: 1, lastVersion: 1 } },
    });
  });

  it('has one effect under 20 concurrent sends of one id', async () => {
    const command = placeOrder();
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(alice, command)));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body['outcome'])))).toHaveProperty('size', 1);
    expect(answers.filter(({ body }) => body['duplicate'] === false)).toHaveLength(1);
    const { data } = await alice.schema('api').rpc('hydrate', { aggregate_type: 'order', aggregate_id: command.aggregateId });
    // What follows is order-fulfilment's.
    const placed = (data as { events: { type: string }[] }).events.filter(({ type }) => type === 'OrderPlaced');
    expect(placed).toMatchObject([{ version: 1, metadata: { commandId: command.commandId, actor: { role: 'owner' } } }]);
  });

  it('answers a refusal of the domain with 200 and its code', async () => {
    expect(await send(alice, { ...placeOrder(), type: 'ApproveOrder', payload: {} })).toMatchObject({
      status: 200,
      body: { status: 'rejected', outcome: { code: 'ORDER_NOT_FOUND', message: expect.any(String) } },
    });
    expect(await send(alice, { ...placeOrder(), expectedVersion: 4 })).toMatchObject({ body: { status: 'rejected', outcome: { code: 'CONFLICT' } } });
  });

  it('answers a malformed one with 400 as problem+json, naming the path', async () => {
    const command = placeOrder();
    const answer = await send(alice, { ...command, payload: { ...command.payload, lines: [] } });
    expect(answer).toMatchObject({ status: 400, type: 'application/problem+json', body: { code: 'IN422', status: 400, traceId: expect.any(String) } });
    expect(JSON.stringify(answer.body['errors'])).toContain('lines');
  });

  it('refuses a reused id with 409, and a system command with 403', async () => {
    const command = placeOrder();
    await send(alice, command);
    expect(await send(alice, { ...command, aggregateId: randomUUID() })).toMatchObject({ status: 409, body: { code: 'IN409' } });
    expect(await send(alice, { ...placeOrder(), type: 'ConfirmOrder', payload: {} })).toMatchObject({ status: 403, body: { code: 'IN403' } });
  });

  it('can be sent past the function, by RPC, with the same answer', async () => {
    const command = placeOrder();
    const { data, error } = await bob.schema('api').rpc('submit_command', {
      command_id: command.commandId, type: command.type, aggregate_type: 'order', aggregate_id: command.aggregateId, payload: command.payload,
    });
    expect(error).toBeNull();
    expect(data).toEqual({ commandId: command.commandId, status: 'pending', duplicate: false, outcome: null });
    await expect.poll(async () => (await bob.schema('api').rpc('get_command', { command_id: command.commandId })).data as unknown).toMatchObject({ status: 'succeeded' });
    expect((await carol.schema('api').rpc('get_command', { command_id: command.commandId })).data).toBeNull();
  });

  it('waits for its time where it has one', async () => {
    const executeAt = new Date(Date.now() + 1_500).toISOString();
    const sent = await send(alice, { ...placeOrder(), executeAt });
    expect(sent).toMatchObject({ status: 200, body: { status: 'succeeded' } });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(executeAt));
  });
});

describe('the read models', () => {
  it('show an order and its budget as soon as the command has succeeded', async () => {
    const budgetId = `b-${randomUUID()}`;
    await send(alice, { commandId: randomUUID(), type: 'OpenBudget', aggregateId: budgetId, payload: { name: 'Food', limit: 900 } });
    const order = placeOrder(budgetId);
    await send(carol, order);
    const { data: orders } = await bob.schema('api').from('orders').select().eq('order_id', order.aggregateId);
    expect(orders).toMatchObject([{ order_id: order.aggregateId, budget_id: budgetId, status: 'awaiting_approval', total: 700, version: 1 }]);
    const { data: budgets } = await bob.schema('api').from('budgets').select().eq('budget_id', budgetId);
    expect(budgets).toMatchObject([{ name: 'Food', spending_limit: 900, reserved: 0, spent: 0 }]);
  });
});

describe('live events', () => {
  it('reach the members of the tenant, and the outcome its submitter', async () => {
    const { data } = await bob.auth.getClaims();
    // Claims of our hook: any, in the library's types.
    const { tenant_id: tenantId, sub } = data!.claims as unknown as { tenant_id: string; sub: string };
    await bob.realtime.setAuth();
    const messages: { event: string; payload: Record<string, unknown> }[] = [];
    const joined = [`tenant:${tenantId}:events`, `tenant:${tenantId}:user:${sub}`].map(
      (topic) =>
        new Promise((resolve) =>
          bob
            .channel(topic, { config: { private: true } })
            .on('broadcast', { event: '*' }, ({ event, payload }: (typeof messages)[number]) => messages.push({ event, payload }))
            .subscribe(resolve),
        ),
    );
    expect(await Promise.all(joined)).toEqual(['SUBSCRIBED', 'SUBSCRIBED']);
    const order = placeOrder();
    await send(bob, order);
    await expect.poll(() => messages).toContainEqual({
      event: 'appended',
      payload: expect.objectContaining({ aggregateType: 'order', aggregateId: order.aggregateId, events: [expect.objectContaining({ type: 'OrderPlaced' })] }) as unknown,
    });
    // Other files use this stack and its users at the same time, so bob hears of their commands too.
    const outcomes = () => messages.filter(({ event, payload }) => event === 'outcome' && payload['commandId'] === order.commandId);
    await expect.poll(outcomes).toEqual([{ event: 'outcome', payload: expect.objectContaining({ status: 'succeeded' }) as unknown }]);
  });

  it("are refused to a stranger, who joins another tenant's channel", async () => {
    const roseId = stack.users[0]!.tenants[0]!.tenantId;
    await dave.realtime.setAuth();
    const answer = await new Promise((resolve) => dave.channel(`tenant:${roseId}:events`, { config: { private: true } }).subscribe((status) => resolve(status)));
    expect(answer).toBe('CHANNEL_ERROR');
  });
});

describe('a user of two tenants', () => {
  it('switches the tenant of its session, and a dedicated tenant executes its commands', async () => {
    const [rose, thorn] = stack.users[0]!.tenants;
    const switching = await signIn('alice');
    const { data: tenants } = await switching.schema('api').rpc('my_tenants');
    expect(tenants).toMatchObject([{ tenantId: rose!.tenantId, role: 'owner' }, { tenantId: thorn!.tenantId, role: 'guest' }]);
    expect((await switching.schema('api').rpc('switch_tenant', { tenant_id: thorn!.tenantId })).error).toBeNull();
    await switching.auth.refreshSession();
    const order = placeOrder();
    expect(await send(switching, { ...order, tenantId: thorn!.tenantId })).toMatchObject({ status: 200, body: { status: 'succeeded' } });
    expect((await dave.schema('api').from('orders').select('status').eq('order_id', order.aggregateId)).data).toEqual([{ status: 'awaiting_approval' }]);
    expect((await bob.schema('api').from('orders').select('status').eq('order_id', order.aggregateId)).data).toEqual([]);
    expect(await send(dave, { ...order, commandId: randomUUID(), type: 'ApproveOrder', payload: {} })).toMatchObject({ body: { status: 'succeeded' } });
    await switching.auth.signOut();
  });
});
