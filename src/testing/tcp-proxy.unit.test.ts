import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

// Echoes what it is told.
const server = createServer((socket) => void socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
await once(server, 'listening');
let proxy: TcpProxy;
const clients: Socket[] = [];
beforeEach(async () => {
  proxy = await startTcpProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await proxy.stop();
});
afterAll(() => void server.close());

async function open() {
  const socket = connect({ host: '127.0.0.1', port: proxy.port }).on('error', () => {});
  clients.push(socket);
  let heard = '';
  socket.on('data', (data: Buffer) => (heard += data.toString()));
  await once(socket, 'connect');
  return { socket, say: (text: string) => socket.write(text), heard: () => heard };
}

/** A connection on which something has come and gone: the proxy knows it. */
async function openAndUse() {
  const client = await open();
  client.say('a');
  await expect.poll(client.heard).toBe('a');
  return client;
}

describe('the TCP proxy', () => {
  it('breaks what is open and lets nothing in while it is closed', async () => {
    const before = await openAndUse();
    proxy.become('closed');
    await once(before.socket, 'close');
    const during = await open();
    await once(during.socket, 'close');
    expect([before.heard(), during.heard()]).toEqual(['a', '']);
    proxy.become('open');
    await openAndUse();
  });

  it('keeps back what comes while it is frozen, and passes it on afterwards', async () => {
    const before = await openAndUse();
    proxy.become('frozen');
    const during = await open();
    before.say('b');
    during.say('c');
    // What is written here comes back from a server past the proxy: by then it would have come through the proxy as well.
    const past = connect((server.address() as AddressInfo).port, '127.0.0.1');
    past.write('d');
    await once(past, 'data');
    past.destroy();
    expect([before.heard(), during.heard()]).toEqual(['a', '']);
    proxy.become('open');
    await expect.poll(before.heard).toBe('ab');
    await expect.poll(during.heard).toBe('c');
  });

  it('passes everything later and in order while it is slow', async () => {
    const client = await openAndUse();
    proxy.become('slow');
    const beganAt = performance.now();
    for (const letter of 'bcd') client.say(letter);
    await expect.poll(client.heard).toBe('abcd');
    expect(performance.now() - beganAt).toBeGreaterThan(250);
  });

  it('keeps the order where it is open again while something slow is on its way', async () => {
    const client = await openAndUse();
    proxy.become('slow');
    client.say('b');
    // By now the slow piece has left the client.
    const past = connect((server.address() as AddressInfo).port, '127.0.0.1');
    past.write('x');
    await once(past, 'data');
    past.destroy();
    proxy.become('open');
    client.say('c');
    await expect.poll(client.heard).toHaveLength(3);
    expect(client.heard()).toBe('abc');
  });

  it('says nothing any more on a connection that it has made deaf, and serves new ones', async () => {
    const deaf = await openAndUse();
    proxy.deafen();
    deaf.say('b');
    await openAndUse();
    proxy.become('open');
    await openAndUse();
    expect([deaf.heard(), deaf.socket.destroyed]).toEqual(['a', false]);
  });

  it('forgets an answer that was to be lost when it opens', async () => {
    void proxy.loseNextAnswer('cut');
    proxy.become('open');
    expect((await openAndUse()).heard()).toBe('a');
  });
});
