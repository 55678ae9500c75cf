import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenTo } from '../testing/listen-to.ts';
import { startTestGateway } from '../testing/test-gateway.ts';
import type { TestGateway } from '../testing/test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  await gateway.admin.query(`
    create policy gateway_test on realtime.messages for select to authenticated
      using (extension = 'broadcast' and realtime.topic() in ('room', 'user:' || (select auth.uid())))
  `);
});

afterAll(() => gateway.stop());

async function send(topic: string, payload: object, event = 'appended'): Promise<void> {
  await gateway.admin.query('select realtime.send($1, $2, $3, true)', [JSON.stringify(payload), event, topic]);
}

async function metrics() {
  const page = await (await fetch(`${gateway.url}/metrics`)).text();
  const valueOf = (sample: string) => Number(page.split('\n').find((line) => line.startsWith(`${sample} `))?.split(' ')[1] ?? 0);
  return {
    admitted: valueOf('intent_realtime_joins_total{result="admitted"}'),
    refused: valueOf('intent_realtime_joins_total{result="refused"}'),
    channels: valueOf('intent_realtime_channels'),
  };
}

async function signedIn(name = randomUUID()): Promise<{ userId: string; client: SupabaseClient }> {
  const user = await gateway.signUp(name);
  await user.client.realtime.setAuth();
  return user;
}

test.each(['1.0.0', '2.0.0'] as const)('what realtime.send() sends in SQL arrives at the client, protocol %s', async (vsn) => {
  const user = await gateway.signUp(randomUUID());
  const client = gateway.client({ vsn });
  await client.realtime.setAuth((await user.client.auth.getSession()).data.session!.access_token);
  const room = await listenTo(client, 'room');
  await send('room', { orders: ['ä', '😀', '"'], position: 9007199254740991 });
  expect(await room.nextMessage()).toMatchObject({
    type: 'broadcast',
    event: 'appended',
    payload: { orders: ['ä', '😀', '"'], position: 9007199254740991 },
    meta: { id: expect.any(String) },
  });
});

test('a policy that does not show the topic refuses the join', async () => {
  const [alice, bob] = [await signedIn(), await signedIn()];
  await expect(listenTo(alice.client, `user:${alice.userId}`)).resolves.toBeDefined();
  await expect(listenTo(bob.client, `user:${alice.userId}`)).rejects.toThrow(
    `Unauthorized: You do not have permissions to read from this Channel topic: user:${alice.userId}`,
  );
});

test('joins are counted, and the channels that are open', async () => {
  const before = await metrics();
  const [alice, bob] = [await signedIn(), await signedIn()];
  const room = await listenTo(alice.client, 'room');
  await expect(listenTo(bob.client, `user:${alice.userId}`)).rejects.toThrow('Unauthorized');
  expect(await metrics()).toEqual({ admitted: before.admitted + 1, refused: before.refused + 1, channels: before.channels + 1 });
  await alice.client.removeChannel(room.channel);
  expect((await metrics()).channels).toBe(before.channels);
});

test('a client without a token is anonymous, and the policy says no', async () => {
  await expect(listenTo(gateway.client(), 'room')).rejects.toThrow('Unauthorized');
});

test('a public channel is refused', async () => {
  const { client } = await signedIn();
  await expect(listenTo(client, 'room', { private: false })).rejects.toThrow('PrivateOnly');
});

test('every socket of a topic gets the message', async () => {
  const rooms = await Promise.all([await signedIn(), await signedIn()].map(({ client }) => listenTo(client, 'room')));
  await send('room', { n: 1 });
  for (const room of rooms) expect((await room.nextMessage()).payload).toMatchObject({ n: 1 });
});

test('a message goes to its topic only', async () => {
  const { userId, client } = await signedIn();
  const own = await listenTo(client, `user:${userId}`);
  await send('room', { n: 'to others' });
  await send(`user:${userId}`, { n: 'mine' });
  expect((await own.nextMessage()).payload).toMatchObject({ n: 'mine' });
});

test('the messages of one transaction come in their order, and none of one that was rolled back', async () => {
  const { client } = await signedIn();
  const room = await listenTo(client, 'room');
  await gateway.admin.query(`begin; select realtime.send('{"n": 0}', 'e', 'room'); rollback`);
  await gateway.admin.query(`select realtime.send(jsonb_build_object('n', n), 'e', 'room') from generate_series(1, 3) as n`);
  const seen = [await room.nextMessage(), await room.nextMessage(), await room.nextMessage()];
  expect(seen.map(({ payload }) => payload['n'])).toEqual([1, 2, 3]);
});

test('after leaving nothing arrives, and one can join again', async () => {
  const { client } = await signedIn();
  const left = await listenTo(client, 'room');
  await client.removeChannel(left.channel);
  const again = await listenTo(client, 'room');
  await send('room', { n: 1 });
  expect((await again.nextMessage()).payload).toMatchObject({ n: 1 });
  expect(left.waiting()).toBe(0);
});

async function shortToken(userId: string, expiresAt: number): Promise<string> {
  return gateway.tokens.sign({
    iss: gateway.tokens.issuer,
    aud: 'authenticated',
    role: 'authenticated',
    sub: userId,
    session_id: randomUUID(),
    exp: expiresAt,
  });
}

test('an expired token is refused at the join', async () => {
  const { userId } = await signedIn();
  const client = gateway.client();
  await client.realtime.setAuth(await shortToken(userId, Math.floor(Date.now() / 1000) - 1));
  await expect(listenTo(client, 'room')).rejects.toThrow(/^InvalidJWTToken: Token has expired \d+ seconds ago/);
});

test('a channel closes when its token expires', async () => {
  const { userId } = await signedIn();
  const client = gateway.client();
  await client.realtime.setAuth(await shortToken(userId, Math.floor(Date.now() / 1000) + 2));
  const room = await listenTo(client, 'room');
  await room.nextStatus('CLOSED');
  const told = expect.objectContaining({ status: 'error', message: expect.stringMatching(/^Token has expired \d+ seconds ago$/) });
  expect(room.systemMessages).toContainEqual(told);
});

test('a new token on an open channel keeps it open beyond the first one', async () => {
  const { userId, client } = await signedIn();
  const lasting = (await client.auth.getSession()).data.session!.access_token;
  const second = gateway.client();
  const expiresAt = Math.floor(Date.now() / 1000) + 2;
  await second.realtime.setAuth(await shortToken(userId, expiresAt));
  const room = await listenTo(second, 'room');
  await second.realtime.setAuth(lasting);
  await delay(expiresAt * 1000 - Date.now() + 100);
  await send('room', { n: 'still here' });
  expect((await room.nextMessage()).payload).toMatchObject({ n: 'still here' });
});

test('a new token of somebody who may not listen closes the channel', async () => {
  const [alice, bob] = [await signedIn(), await signedIn()];
  const own = await listenTo(alice.client, `user:${alice.userId}`);
  await alice.client.realtime.setAuth((await bob.client.auth.getSession()).data.session!.access_token);
  await own.nextStatus('CLOSED');
  const words = `You do not have permissions to read from this Channel topic: user:${alice.userId}`;
  expect(own.systemMessages).toContainEqual(expect.objectContaining({ status: 'error', message: words }));
});

test('when the stream breaks, the gateway streams again, and tells its channels to catch up', async () => {
  const { client } = await signedIn();
  const room = await listenTo(client, 'room');
  const killed = await gateway.admin.query(
    'select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database() and active',
  );
  expect(killed.rowCount).toBe(1);
  await room.nextStatus('CHANNEL_ERROR');
  await room.nextStatus('SUBSCRIBED');
  await send('room', { n: 'after the break' });
  expect((await room.nextMessage()).payload).toMatchObject({ n: 'after the break' });
});
