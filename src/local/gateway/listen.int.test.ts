import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { httpLimits, refuseManyHeaders } from './http-limits.ts';
import { listen, type Listening } from './listen.ts';
import { openConnection, readToEnd, statusesOf } from './testing/raw-http.ts';

const limits = { ...httpLimits, maxConnections: 3, headersTimeoutMs: 100, requestTimeoutMs: 150, timeoutCheckMs: 20 };

const request = (headers: string) => `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n`;

let listening: Listening;
let bodies: string[];

beforeEach(async () => {
  bodies = [];
  listening = await listen(0, limits);
  listening.server.on('request', refuseManyHeaders(limits, (incoming, response) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => {
      bodies.push(body);
      response.end();
    });
  }));
});

afterEach(() => listening.close());

describe('408, and the connection is closed, for a client that takes its time', () => {
  test.for([
    ['with its headers', 'GET / HTTP/1.1\r\nHost: a\r\nX-A: '],
    ['with its first byte', ''],
    ['with its body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx'],
    ['with a chunk', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'],
  ] as const)('%s', async ([, beginning]) => {
    const socket = await openConnection(listening.url);
    const answer = readToEnd(socket);
    socket.write(beginning);
    expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(bodies).toEqual([]);
  });

  test('and sends a byte now and then', async () => {
    const socket = await openConnection(listening.url);
    const answer = readToEnd(socket);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nX-A: ');
    const drip = setInterval(() => socket.write('a'), 10);
    // A byte that meets the closed connection resets it, and may take the answer along.
    expect(await answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
    clearInterval(drip);
  });
});

test('a connection too many is cut, and there is room again when one leaves', async () => {
  const kept = await Promise.all(Array.from({ length: limits.maxConnections }, () => openConnection(listening.url)));
  expect(await readToEnd(await openConnection(listening.url))).toBe('');
  kept[0]!.destroy();
  await vi.waitFor(async () => expect(await statusesOf(listening.url, request(''))).toEqual([200]));
  for (const socket of kept) socket.destroy();
});

describe('431 for headers', () => {
  test.for([
    ['that are too many', 'X-A: b\r\n'.repeat(limits.maxHeaders), [431]],
    ['that are many more', 'X-A: b\r\n'.repeat(3_000), [431]],
    ['of which one is too long', `X-A: ${'b'.repeat(limits.maxHeaderBytes)}\r\n`, [431]],
    ['and none for as many as may be', 'X-A: b\r\n'.repeat(limits.maxHeaders - 2), [200]],
  ] as const)('%s', async ([, headers, statuses]) => {
    expect(await statusesOf(listening.url, request(headers))).toEqual(statuses);
  });
});

test('a client that goes away leaves the server as it was', async () => {
  const socket = await openConnection(listening.url);
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx');
  socket.resetAndDestroy();
  await once(socket, 'close');
  expect((await fetch(listening.url)).status).toBe(200);
});
