import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statusesOf } from './testing/raw-http.ts';
import { startTestGateway, type TestGateway } from './testing/test-gateway.ts';

/** Where PostgREST and the function would be: remembers what has come through. */
const passedOn: string[] = [];
const upstream = createServer((request, response) => {
  passedOn.push(`${request.method} ${request.url}`);
  request.resume().on('end', () => response.end('{}'));
});

let gateway: TestGateway;

beforeAll(async () => {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  gateway = await startTestGateway(async () => ({ postgrestUrl: url, functionUrl: url }));
});

afterAll(async () => {
  await gateway.stop();
  upstream.close();
});

const path = '/functions/v1/command';
const hidden = `GET /hidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
const post = (headers: string, body: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
const get = (line: string) => `${line}\r\nHost: a\r\nConnection: close\r\n\r\n`;

const refused: Record<string, string> = {
  'both Content-Length and Transfer-Encoding': post('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${hidden}`),
  'both, the other way round': post('Transfer-Encoding: chunked\r\nContent-Length: 4', `0\r\n\r\n${hidden}`),
  'two lengths': post('Content-Length: 0\r\nContent-Length: 40', hidden),
  'two lengths in one header': post('Content-Length: 0, 40', hidden),
  'a length with a sign': post('Content-Length: +0', hidden),
  'a negative length': post('Content-Length: -1', hidden),
  'a length that is no number': post('Content-Length: 0x10', hidden),
  'a length beyond any number': post(`Content-Length: ${'9'.repeat(40)}`, hidden),
  'an encoding that is none': post('Transfer-Encoding: xchunked', `0\r\n\r\n${hidden}`),
  'chunked, and then something else': post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${hidden}`),
  'a blank before the colon': post('Transfer-Encoding : chunked', `0\r\n\r\n${hidden}`),
  'a header over two lines': post('Transfer-Encoding:\r\n chunked', `0\r\n\r\n${hidden}`),
  'a chunk size that is none': post('Transfer-Encoding: chunked', `0x0\r\n\r\n${hidden}`),
  'a chunk size beyond any number': post('Transfer-Encoding: chunked', `${'f'.repeat(20)}\r\n\r\n`),
  'a chunk that ends in a bare LF': post('Transfer-Encoding: chunked', `1\nx\n0\n\n${hidden}`),
  'bare LF': `GET ${path} HTTP/1.1\nHost: a\n\n`,
  'a bare CR in a header': post('X-A: b\rTransfer-Encoding: chunked', `0\r\n\r\n${hidden}`),
  'U+0000 in a header': post('X-A: b\0c', ''),
  'U+0000 in the path': get(`GET ${path}\0 HTTP/1.1`),
  'a blank in the path': get(`GET ${path} x HTTP/1.1`),
  'no host': `GET ${path} HTTP/1.1\r\n\r\n`,
  'a host that is none': `GET ${path} HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n`,
  'a host with a password': `GET ${path} HTTP/1.1\r\nHost: user:password@a\r\nConnection: close\r\n\r\n`,
  'an absolute address of another scheme': get(`GET file:///etc/passwd HTTP/1.1`),
  'an address of nothing': get('GET ? HTTP/1.1'),
  'a method that is none': get(`PRINT ${path} HTTP/1.1`),
  'another protocol': 'EHLO a.example\r\n\r\n',
  'TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'HTTP/9.9': get(`GET ${path} HTTP/9.9`),
};

describe('refused with 400, and nothing is passed on', () => {
  test.for(Object.entries(refused))('%s', async ([, request]) => {
    passedOn.length = 0;
    expect(await statusesOf(gateway.url, request)).toEqual([400]);
    expect(passedOn).toEqual([]);
  });
});

describe('answered without a fault of the server', () => {
  const command = `POST ${path}`;
  const length = `Content-Length: ${hidden.length}`;
  const twoBytes = 'Connection: close\r\nContent-Length: 2';
  const elsewhere = 'elsewhere.example';

  test.for<[string, string, number[], string[]]>([
    ['an absolute address, of which only the path counts', get(`GET http://${elsewhere}${path} HTTP/1.1`), [200], [`GET ${path}`]],
    ['an address that looks like a host', get(`GET //${elsewhere}${path} HTTP/1.1`), [404], []],
    ['a path upwards', get('GET /functions/v1/../../hidden HTTP/1.1'), [404], []],
    ['a path upwards, encoded', get('GET /functions/v1/%2e%2e/%2E./hidden HTTP/1.1'), [404], []],
    ['a path beside the one that is passed on', get(`GET /rest/v1@${elsewhere}/ HTTP/1.1`), [404], []],
    ['an escape that is none', get('GET /functions/v1/%zz HTTP/1.1'), [200], ['GET /functions/v1/%zz']],
    ['an address of 20 KiB', get(`GET /functions/v1/${'x'.repeat(20 * 1024)} HTTP/1.1`), [431], []],
    ['TRACE', get(`TRACE ${path} HTTP/1.1`), [405], []],
    ['CONNECT', get(`CONNECT ${elsewhere}:443 HTTP/1.1`), [], []],
    ['a body that is announced', post(`Expect: 100-continue\r\n${twoBytes}`, '{}'), [100, 200], [command]],
    ['an expectation that nobody has', post(`Expect: miracles\r\n${twoBytes}`, '{}'), [417], []],
    ['a request in the body of another', post(`Connection: close\r\n${length}`, hidden), [200], [command]],
    ['a GET with a request as its body', get(`GET ${path} HTTP/1.1\r\n${length}`) + hidden, [200], [`GET ${path}`]],
    ['an upgrade to HTTP/2', `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`, [404], []],
  ])('%s', async ([, request, statuses, passed]) => {
    passedOn.length = 0;
    expect(await statusesOf(gateway.url, request)).toEqual(statuses);
    expect(passedOn).toEqual(passed);
  });
});
