import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { listenTo } from '../testing/listen-to.ts';
import { publishableKey, startTestGateway } from '../testing/test-gateway.ts';
import type { TestGateway } from '../testing/test-gateway.ts';
import { maxChannelsPerSocket, maxFrameBytes, maxFramesPerSecond, maxSockets } from './limits.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  await gateway.admin.query('create policy gateway_test on realtime.messages for select to authenticated using (true)');
});

afterAll(() => gateway.stop());

function connect(query = `apikey=${publishableKey}&vsn=2.0.0`): WebSocket {
  return new WebSocket(`${gateway.url.replace('http', 'ws')}/realtime/v1/websocket?${query}`);
}

async function openSocket(): Promise<WebSocket> {
  const socket = connect();
  await once(socket, 'open');
  return socket;
}

async function closeCode(socket: WebSocket): Promise<unknown> {
  return (await once(socket, 'close'))[0];
}

async function refusal(socket: WebSocket): Promise<number | undefined> {
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  return response.statusCode;
}

/** Sends a frame and returns the next one that comes. */
async function ask(socket: WebSocket, frame: unknown[]): Promise<unknown> {
  const answer = once(socket, 'message');
  socket.send(JSON.stringify(frame));
  return JSON.parse(String((await answer)[0]));
}

async function newToken(name: string): Promise<string> {
  const { client } = await gateway.signUp(name);
  return (await client.auth.getSession()).data.session!.access_token;
}

function join(socket: WebSocket, topic: string, access_token: string): Promise<unknown> {
  return ask(socket, ['1', '1', `realtime:${topic}`, 'phx_join', { config: { private: true }, access_token }]);
}

test.each([
  ['a wrong api key', 'apikey=wrong&vsn=2.0.0', 401],
  ['an unknown protocol version', `apikey=${publishableKey}&vsn=9.0.0`, 400],
])('the handshake with %s is refused', async (_, query, status) => {
  expect(await refusal(connect(query))).toBe(status);
});

test('a heartbeat is answered', async () => {
  const socket = await openSocket();
  expect(await ask(socket, [null, '7', 'phoenix', 'heartbeat', {}])).toEqual([
    null, '7', 'phoenix', 'phx_reply', { status: 'ok', response: {} },
  ]);
  socket.close();
});

/** That the gateway has nothing to say but to the next heartbeat. */
async function expectSilence(socket: WebSocket, ...frames: (string | unknown[])[]): Promise<void> {
  for (const frame of frames) socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  expect(await ask(socket, [null, 'next', 'phoenix', 'heartbeat', {}])).toMatchObject({ 1: 'next', 4: { status: 'ok' } });
}

test('a client cannot send, and is not told: only the database does', async () => {
  const socket = await openSocket();
  const token = await newToken('sender');
  const { client } = await gateway.signUp('hearer');
  await client.realtime.setAuth();
  const room = await listenTo(client, 'room');
  await join(socket, 'room', token);
  await expectSilence(socket, ['1', '2', 'realtime:room', 'broadcast', { type: 'broadcast', event: 'e', payload: {} }]);
  expect(room.waiting()).toBe(0);
  await client.realtime.disconnect();
  socket.close();
});

test('an event that nobody knows is ignored on a channel, and refused on a topic without one', async () => {
  const socket = await openSocket();
  await join(socket, 'room', await newToken('unknown'));
  await expectSilence(socket, ['1', '2', 'realtime:room', 'miracle', {}]);
  expect(await ask(socket, ['1', '3', 'realtime:elsewhere', 'miracle', {}])).toEqual([
    '1', '3', 'realtime:elsewhere', 'phx_reply', { status: 'error', response: { reason: 'unmatched topic' } },
  ]);
  socket.close();
});

test.each(['hello', '{}', '[]', '[1]', 'null', '["1","1","realtime:a\\u0000","phx_join",{}]'])(
  'what is not a frame is ignored, and the socket lives on: %s',
  async (text) => {
    const socket = await openSocket();
    await expectSilence(socket, text);
    expect(gateway.log.join('\n')).toContain('no frame');
    socket.close();
  },
);

test('a frame of 5 MB is read, and one over that ends the socket', async () => {
  const socket = await openSocket();
  await expectSilence(socket, 'x'.repeat(maxFrameBytes));
  socket.send('x'.repeat(maxFrameBytes + 1));
  expect(await closeCode(socket)).toBe(1009);
});

test('a client that sends more frames in a second than any honest one ends its socket, and no other', async () => {
  const [flooding, other] = [await openSocket(), await openSocket()];
  const closing = closeCode(flooding);
  // If a second ends in between, twice as many are let through.
  const heartbeat = JSON.stringify([null, '1', 'phoenix', 'heartbeat', {}]);
  for (let n = 0; n <= 2 * maxFramesPerSecond; n += 1) flooding.send(heartbeat);
  expect(await closing).toBe(1008);
  expect(await ask(other, [null, '1', 'phoenix', 'heartbeat', {}])).toMatchObject({ 4: { status: 'ok' } });
  other.close();
});

test('one socket holds a hundred channels and no more', async () => {
  const token = await newToken('channels');
  const socket = await openSocket();
  for (let n = 0; n < maxChannelsPerSocket; n += 1) await join(socket, `room-${n}`, token);
  expect(await join(socket, 'one-more', token)).toMatchObject({
    4: { status: 'error', response: { reason: expect.stringContaining('Too many channels') } },
  });
  expect(await join(socket, 'room-0', token)).toMatchObject({ 4: { status: 'ok' } });
  socket.close();
});

test('a socket too many is refused with 429', async () => {
  const sockets = await Promise.all(Array.from({ length: maxSockets }, openSocket));
  expect(await refusal(connect())).toBe(429);
  for (const socket of sockets) socket.terminate();
  await vi.waitFor(async () => (await openSocket()).close());
});

test('a broadcast of as many bytes as Supabase carries arrives, and one more is dropped, and the log says so', async () => {
  const { client } = await gateway.signUp('oversize');
  await client.realtime.setAuth();
  const room = await listenTo(client, 'oversize');
  // The payload's text is the object with its id, 36 characters: {"id": "…", "text": "…"}.
  const around = '{"id": "", "text": ""}'.length + 36;
  const send = (bytes: number) =>
    gateway.admin.query(`select realtime.send(jsonb_build_object('text', repeat('x', $1)), 'e', 'oversize')`, [bytes - around]);
  await send(256_495);
  await send(256_494);
  expect(String((await room.nextMessage()).payload['text']).length).toBe(256_494 - around);
  expect(gateway.log.join('\n')).toContain('dropped a broadcast of 256495 bytes');
});

test('a client that does not read is cut off, and the others get everything', async () => {
  const count = 100;
  const { client } = await gateway.signUp('slow');
  await client.realtime.setAuth();
  const reader = await listenTo(client, 'busy');
  const slow = await openSocket();
  await join(slow, 'busy', (await client.auth.getSession()).data.session!.access_token);
  slow.pause();
  await gateway.admin.query(
    `select realtime.send(jsonb_build_object('n', n, 'text', repeat('x', 250000)), 'e', 'busy') from generate_series(1, $1) as n`,
    [count],
  );
  for (let n = 1; n <= count; n += 1) expect((await reader.nextMessage()).payload['n']).toBe(n);
  slow.resume();
  expect(await closeCode(slow)).toBe(1006);
  expect(gateway.log.join('\n')).toContain('reads too slowly');
});
