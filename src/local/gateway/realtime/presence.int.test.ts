import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createClient, type RealtimeChannel, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { expectSoon } from '../../../testing/expect-soon.ts';
import { publishableKey, startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

// With the policies of the migrations, and the channels of supabase-js.

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.stop());

let tenantId: string;

beforeEach(async () => {
  tenantId = await createTenant();
});

async function createTenant(): Promise<string> {
  const id = randomUUID();
  await gateway.admin.query(`select intent.create_tenant($1, 'Rose')`, [id]);
  return id;
}

async function newMember(of = tenantId): Promise<SupabaseClient> {
  const { userId, client } = await gateway.signUp(randomUUID());
  await gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [of, userId]);
  await client.auth.refreshSession();
  await client.realtime.setAuth();
  return client;
}

const topicOf = (tenant: string) => `tenant:${tenant}:events`;

interface AttendOptions {
  readonly topic?: string;
  /** Whether it wants to see the others. */
  readonly enabled?: boolean;
}

async function attend(client: SupabaseClient, key: string, { topic = topicOf(tenantId), enabled = true }: AttendOptions = {}) {
  const channel = client.channel(topic, { config: { private: true, presence: { key, enabled } } });
  await new Promise<void>((resolve, reject) => {
    channel.subscribe((status, error) => (status === 'SUBSCRIBED' ? resolve() : reject(error ?? new Error(status))));
  });
  return channel;
}

/** What each key says of itself. */
function present(channel: RealtimeChannel): Record<string, unknown[]> {
  const state = channel.presenceState<{ at?: string }>();
  return Object.fromEntries(Object.entries(state).map(([key, metas]) => [key, metas.map(({ at }) => at)]));
}

test('two members of a tenant see each other come, change and go', async () => {
  const [alice, bob] = [await attend(await newMember(), 'alice'), await attend(await newMember(), 'bob')];
  expect(await alice.track({ at: 'orders' })).toBe('ok');
  expect(await bob.track({ at: 'budget' })).toBe('ok');
  for (const channel of [alice, bob]) await expectSoon(() => present(channel)).toEqual({ alice: ['orders'], bob: ['budget'] });
  await bob.track({ at: 'orders' });
  await expectSoon(() => present(alice)).toEqual({ alice: ['orders'], bob: ['orders'] });
  await bob.untrack();
  await expectSoon(() => present(alice)).toEqual({ alice: ['orders'] });
});

test('whoever comes later sees who is there already', async () => {
  const alice = await attend(await newMember(), 'alice');
  await alice.track({ at: 'orders' });
  const bob = await attend(await newMember(), 'bob');
  await expectSoon(() => present(bob)).toEqual({ alice: ['orders'] });
});

test.each<[string, (client: SupabaseClient, channel: RealtimeChannel) => unknown]>([
  ['leaves the channel', (client, channel) => client.removeChannel(channel)],
  ['loses its socket', (client) => client.realtime.disconnect()],
])('a member who %s is gone', async (_how, go) => {
  const alice = await attend(await newMember(), 'alice');
  const client = await newMember();
  const bob = await attend(client, 'bob');
  await bob.track({ at: 'budget' });
  await expectSoon(() => present(alice)).toEqual({ bob: ['budget'] });
  await go(client, bob);
  await expectSoon(() => present(alice)).toEqual({});
});

test("another tenant's member sees nobody, and is seen by nobody", async () => {
  const alice = await attend(await newMember(), 'alice');
  await alice.track({ at: 'orders' });
  const thorn = await createTenant();
  const dave = await newMember(thorn);
  await expect(attend(dave, 'dave')).rejects.toThrow('Unauthorized');
  const own = await attend(dave, 'dave', { topic: topicOf(thorn) });
  await own.track({ at: 'home' });
  await expectSoon(() => present(own)).toEqual({ dave: ['home'] });
  expect(present(alice)).toEqual({ alice: ['orders'] });
});

test("on a user's own channel nobody is present", async () => {
  const client = await newMember();
  const { sub } = (await client.auth.getClaims()).data!.claims;
  const inbox = await attend(client, 'alice', { topic: `tenant:${tenantId}:user:${sub}` });
  expect(await inbox.track({ at: 'home' })).toBe('error');
  expect(present(inbox)).toEqual({});
});

test('who shows itself without having asked to see the others is seen, and sees them from then on', async () => {
  const alice = await attend(await newMember(), 'alice');
  await alice.track({ at: 'orders' });
  const bob = await attend(await newMember(), 'bob', { enabled: false });
  expect(await bob.track({ at: 'budget' })).toBe('ok');
  for (const channel of [alice, bob]) await expectSoon(() => present(channel)).toEqual({ alice: ['orders'], bob: ['budget'] });
});

test('a second client, with the session of the first, is present beside it', async () => {
  const first = await newMember();
  const beside = createClient(gateway.url, publishableKey, {
    accessToken: async () => (await first.auth.getSession()).data.session?.access_token ?? null,
  });
  await beside.realtime.setAuth();
  const alice = await attend(beside, 'alice');
  await alice.track({ at: 'orders' });
  await expectSoon(() => present(alice)).toEqual({ alice: ['orders'] });
  await beside.removeChannel(alice);
});

test('the frames are those that Supabase documents', async () => {
  const { data } = await (await newMember()).auth.getSession();
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${publishableKey}&vsn=2.0.0`);
  await once(socket, 'open');
  const frames: unknown[] = [];
  socket.on('message', (text: Buffer) => frames.push(JSON.parse(text.toString())));
  const topic = `realtime:${topicOf(tenantId)}`;
  const config = { private: true, presence: { key: 'alice', enabled: true } };
  socket.send(JSON.stringify(['1', '1', topic, 'phx_join', { config, access_token: data.session!.access_token }]));
  socket.send(JSON.stringify(['1', '2', topic, 'presence', { type: 'presence', event: 'track', payload: { at: 'orders' } }]));
  socket.send(JSON.stringify(['1', '3', topic, 'presence', { type: 'presence', event: 'untrack' }]));
  socket.send(JSON.stringify(['1', '4', topic, 'presence', { type: 'presence', event: 'vanish' }]));
  const ok = { status: 'ok', response: {} };
  const alice = { alice: { metas: [{ at: 'orders', phx_ref: expect.any(String) }] } };
  await expectSoon(() => frames).toEqual([
    ['1', '1', topic, 'phx_reply', { status: 'ok', response: { postgres_changes: [] } }],
    ['1', null, topic, 'presence_state', {}],
    ['1', null, topic, 'presence_diff', { joins: alice, leaves: {} }],
    ['1', '2', topic, 'phx_reply', ok],
    ['1', null, topic, 'presence_diff', { joins: {}, leaves: alice }],
    ['1', '3', topic, 'phx_reply', ok],
    ['1', '4', topic, 'phx_reply', { status: 'error', response: {} }],
  ]);
  socket.close();
});

test('what is said five times in thirty seconds is taken, and the sixth closes the channel', async () => {
  const alice = await attend(await newMember(), 'alice');
  const closed = new Promise((resolve) => alice.on('system', {}, resolve));
  for (let n = 1; n <= 5; n += 1) expect(await alice.track({ at: `page ${n}` })).toBe('ok');
  void alice.track({ at: 'page 6' });
  expect(await closed).toMatchObject({ status: 'error', message: 'Client presence rate limit exceeded' });
});
