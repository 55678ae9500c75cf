import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishableKey } from '../../local/gateway/testing/test-gateway.ts';
import { statusesOf } from '../../local/gateway/testing/raw-http.ts';
import { type GatewayStack, startGatewayStack } from './gateway-stack.ts';

// Bytes that are no text, in each place of a request, for each of the parts behind the gateway.

let stack: GatewayStack;
let headers: string;

beforeAll(async () => {
  stack = await startGatewayStack();
  const { userId, client } = await stack.gateway.signUp('bytes');
  const tenantId = randomUUID();
  await stack.gateway.admin.query(`select intent.create_tenant($1, 'Rose')`, [tenantId]);
  await stack.gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [tenantId, userId]);
  const { data } = await client.auth.refreshSession();
  headers = `Host: a\r\napikey: ${publishableKey}\r\nAuthorization: Bearer ${data.session!.access_token}\r\nConnection: close\r\n`;
});

afterAll(() => stack.stop());

const unescaped = { 'Latin-1': '\xe9', 'no first byte': '\xff', 'U+0000 in two bytes': '\xc0\x80', 'half a character': '\xe2\x82' };
const escaped = {
  'Latin-1': '%e9',
  'no first byte': '%FF',
  'U+0000': '%00',
  'U+0000 in two bytes': '%c0%80',
  'half a character': '%e2%82',
  'a surrogate': '%ed%a0%80',
  'beyond Unicode': '%f4%90%80%80',
};

const combine = (places: readonly string[], bytes: Record<string, string>) =>
  places.flatMap((place) => Object.entries(bytes).map(([name, text]) => [place, name, text] as const));

const targets = [
  '/rest/v1/orders?order_id=eq.*', '/rest/v1/orders?*=eq.1', '/rest/v1/orders?select=*', '/rest/v1/*', '/rest/v1/orders*',
  '/rest/v1/rpc/my_tenants?*=1', '/rest/v1/rpc/*', '/auth/v1/*', '/auth/v1/token?grant_type=*', '/auth/v1/logout?scope=*',
  '/realtime/v1/*', '/realtime/v1/websocket?apikey=*', '/functions/v1/*', '/functions/v1/command?*', '/*',
];

describe('in the address: 400', () => {
  test.for(combine(targets, escaped))('%s, %s', async ([target, , text]) => {
    expect(await statusesOf(stack.gateway.url, `GET ${target.replace('*', text)} HTTP/1.1\r\n${headers}\r\n`)).toEqual([400]);
  });

  test.for(combine(['/rest/v1/orders?order_id=eq.*', '/auth/v1/*', '/functions/v1/*', '/realtime/v1/websocket?apikey=*'], unescaped))(
    'and not escaped: %s, %s',
    async ([target, , text]) => {
      expect(await statusesOf(stack.gateway.url, `GET ${target.replace('*', text)} HTTP/1.1\r\n${headers}\r\n`)).toEqual([400]);
    },
  );

  test('of a WebSocket, too', async () => {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
    const target = `/realtime/v1/websocket?apikey=${publishableKey}&vsn=2.0.0`;
    for (const [query, header] of [['&a=%ff', ''], ['&a=%00', ''], ['', 'X-A: \xe9\r\n']]) {
      expect(await statusesOf(stack.gateway.url, `GET ${target}${query} HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n${header}\r\n`)).toEqual([400]);
    }
  });
});

describe('in a header: 400', () => {
  const names = ['X-A', 'Prefer', 'Accept', 'Accept-Profile', 'Range', 'User-Agent', 'traceparent', 'Cookie', 'X-Client-Info'];
  const routes = ['/rest/v1/orders', '/auth/v1/user', '/functions/v1/command', '/nowhere'];

  test.for(names.flatMap((name) => routes.map((route) => [name, route] as const)))('%s, for %s', async ([name, route]) => {
    for (const text of Object.values(unescaped)) {
      expect(await statusesOf(stack.gateway.url, `GET ${route} HTTP/1.1\r\n${headers}${name}: a${text}b\r\n\r\n`)).toEqual([400]);
    }
  });
});

describe('in a body: 400', () => {
  const post = (path: string, type: string, body: string) =>
    `POST ${path} HTTP/1.1\r\n${headers}Content-Profile: api\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const bodies: readonly (readonly [path: string, type: string, body: string])[] = [
    ['/rest/v1/rpc/switch_tenant', 'application/json', '{"tenant_id":"*"}'],
    ['/rest/v1/rpc/switch_tenant', 'application/x-www-form-urlencoded', 'tenant_id=*'],
    ['/rest/v1/rpc/switch_tenant', 'text/csv', 'tenant_id\n*'],
    ['/rest/v1/rpc/switch_tenant', 'text/plain', '*'],
    ['/auth/v1/token?grant_type=password', 'application/json', '{"email":"a","password":"*"}'],
    ['/functions/v1/command', 'application/json', '{"commandId":"*"}'],
  ];

  test.for(bodies)('%s, %s', async ([path, type, body]) => {
    for (const text of Object.values({ ...unescaped, 'U+0000': '\0' })) {
      expect(await statusesOf(stack.gateway.url, post(path, type, body.replace('*', text)))).toEqual([400]);
    }
  });

  test('and escaped in a form', async () => {
    for (const text of Object.values(escaped)) {
      expect(await statusesOf(stack.gateway.url, post('/rest/v1/rpc/switch_tenant', 'application/x-www-form-urlencoded', `tenant_id=${text}`))).toEqual([400]);
    }
  });
});

test('what is text comes through, in each place', async () => {
  const text = 'ä😀\u{10ffff}';
  const { url } = stack.gateway;
  const utf8 = Buffer.from(text).toString('latin1');
  expect(await statusesOf(url, `GET /rest/v1/orders?budget_id=eq.${encodeURIComponent(text)} HTTP/1.1\r\n${headers}Accept-Profile: api\r\nX-A: ${utf8}\r\n\r\n`)).toEqual([200]);
  expect(await statusesOf(url, `GET /auth/v1/user?a=${encodeURIComponent(text)} HTTP/1.1\r\n${headers}X-A: ${utf8}\r\n\r\n`)).toEqual([200]);
  expect(await statusesOf(url, `GET /functions/v1/command?a=${encodeURIComponent(text)} HTTP/1.1\r\n${headers}X-A: ${utf8}\r\n\r\n`)).toEqual([405]);
});

describe('what PostgREST would take seconds for is refused in words, and a quarter of that is not', () => {
  const list = (length: number, item: (n: number) => string, separator = ',') => Array.from({ length }, (_, n) => item(n)).join(separator);
  type Call = (length: number) => { readonly path: string; readonly body?: string; readonly type?: string };
  const calls: Record<string, Call> = {
    'columns in select': (n) => ({ path: `orders?select=${list(n, () => 'a')}` }),
    'columns in two lists': (n) => ({ path: `orders?select=${list(n / 2, () => 'a')}&order=${list(n / 2, () => 'a')}` }),
    'columns in order': (n) => ({ path: `orders?order=${list(n, () => 'a')}` }),
    'columns of an embedded table in order': (n) => ({ path: `orders?budgets.order=${list(n, () => 'a')}` }),
    'conditions in and': (n) => ({ path: `orders?and=(${list(n, () => 'a.eq.1')})` }),
    'conditions in not.or': (n) => ({ path: `orders?not.or=(${list(n, () => 'a.eq.1')})` }),
    'parameters': (n) => ({ path: `rpc/my_tenants?${list(n, (i) => `p${i}=1`, '&')}` }),
    'names in a JSON body': (n) => ({ path: 'rpc/my_tenants', type: 'application/json', body: `{${list(n, (i) => `"p${i}":1`)}}` }),
    'names in a row of a JSON body': (n) => ({ path: 'rpc/my_tenants', type: 'application/json', body: `[{${list(n, (i) => `"p${i}":1`)}}]` }),
    'names in a form': (n) => ({ path: 'rpc/my_tenants', type: 'application/x-www-form-urlencoded', body: list(n, (i) => `p${i}=1`, '&') }),
    'names in CSV': (n) => ({ path: 'rpc/my_tenants', type: 'text/csv', body: list(n, (i) => `p${i}`) }),
  };

  async function answer(call: Call, length: number): Promise<{ status: number; message: string }> {
    const { path, body, type } = call(length);
    const response = await fetch(`${stack.gateway.url}/rest/v1/${path}`, {
      headers: { apikey: publishableKey, origin: 'http://localhost:3000', ...(type !== undefined && { 'content-type': type }) },
      ...(body !== undefined && { method: 'POST', body }),
    });
    return { status: response.status, ...((await response.json()) as { message: string }) };
  }

  test.for(Object.entries(calls))('%s', async ([, call]) => {
    expect(await answer(call, 1_000)).toEqual({ status: 400, message: expect.stringContaining('more than 250') });
    expect((await answer(call, 100)).message).not.toContain('more than 250');
  });
});

test('an address over 8 KiB is 414, one below is not', async () => {
  const ids = (count: number) => fetch(`${stack.gateway.url}/rest/v1/orders?order_id=in.(${Array.from({ length: count }, () => randomUUID()).join(',')})`, { headers: { apikey: publishableKey } });
  const long = await ids(300);
  expect([long.status, await long.json()]).toEqual([414, { message: expect.stringContaining('longer than 8192 bytes') }]);
  expect((await ids(200)).status).not.toBe(414);
});
