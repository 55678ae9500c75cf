import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { password, publishableKey } from '../../local/gateway/testing/test-gateway.ts';
import { openBudget } from './edge-stack.ts';
import { forge } from './forged-tokens.ts';
import { startGatewayStack, type GatewayStack } from './gateway-stack.ts';

let stack: GatewayStack;
let token: string;
let refreshToken: string;

beforeAll(async () => {
  stack = await startGatewayStack();
  const { gateway } = stack;
  const { userId, client } = await gateway.signUp('logged');
  await gateway.admin.query(`select intent.create_tenant($1, 'Rose')`, [userId]);
  await gateway.admin.query(`select intent.add_member($1, $1, 'owner')`, [userId]);
  const { session } = (await client.auth.refreshSession()).data;
  token = session!.access_token;
  refreshToken = session!.refresh_token;
}, 60_000);

afterAll(() => stack.stop());

const wrongPassword = 'guess-7f3a-of-a-password';
const secretText = 'a-name-that-nobody-may-read-9c41';
const command = () => ({ ...openBudget(), payload: { name: secretText, limit: 1 } });

interface Call {
  readonly path: string;
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Good requests and bad ones, with what is secret in every place where a client could put it. */
function calls(forged: string): Record<string, Call> {
  const functionPath = '/functions/v1/command';
  const signInPath = '/auth/v1/token?grant_type=password';
  const known = command();
  return {
    'a command': { path: functionPath, body: known, status: 202 },
    'a command id used again': { path: functionPath, body: { ...known, aggregateId: 'another' }, status: 409 },
    'a forged token': { path: functionPath, body: command(), headers: { authorization: `Bearer ${forged}` }, status: 401 },
    'a token without its scheme': { path: functionPath, body: command(), headers: { authorization: token }, status: 401 },
    'a token in the query': { path: `${functionPath}?access_token=${token}&apikey=${publishableKey}`, body: {}, status: 400 },
    'a token in the path': { path: `${functionPath}/${token}`, body: {}, status: 404 },
    'a token as type': { path: functionPath, body: { ...command(), type: token }, status: 400 },
    'a token as id': { path: functionPath, body: { ...command(), aggregateId: token }, status: 400 },
    'a token as command id': { path: functionPath, body: { ...command(), commandId: token }, status: 400 },
    'a token as tenant': { path: functionPath, body: { ...command(), tenantId: token }, status: 403 },
    'a token as key': { path: functionPath, body: { ...command(), [token]: secretText }, status: 400 },
    'a token in the other headers': {
      path: functionPath,
      body: command(),
      headers: { traceparent: token, prefer: token, 'x-client-info': token, referer: token, 'user-agent': token },
      status: 202,
    },
    'a token as type of the body': { path: functionPath, body: command(), headers: { 'content-type': token }, status: 415 },
    'a payload that is no OpenBudget': { path: functionPath, body: { ...command(), payload: [secretText] }, status: 400 },
    'a wrong password': { path: signInPath, body: { email: 'a@b', password: wrongPassword }, status: 400 },
    'a password that is too long': {
      path: signInPath,
      body: { email: 'a@b', password: wrongPassword.repeat(9) },
      status: 400,
    },
    'a refresh token in the query': { path: `/auth/v1/token?grant_type=${refreshToken}`, body: {}, status: 400 },
    'a call of PostgREST': { path: '/rest/v1/rpc/my_tenants', body: {}, status: 200 },
    'a token as argument': { path: `/rest/v1/rpc/get_command`, body: { command_id: token }, status: 400 },
    'a token in the query of PostgREST': { path: `/rest/v1/rpc/get_command?access_token=${token}`, body: {}, status: 400 },
    'the key in the query': { path: `/rest/v1/rpc/no_such?apikey=${publishableKey}`, body: {}, status: 404 },
    'a command past the function': {
      path: '/rest/v1/rpc/submit_command',
      body: { command_id: randomUUID(), type: token, aggregate_type: 'budget', aggregate_id: 'a', payload: { secretText } },
      status: 400,
    },
    'a payload of another type': {
      path: '/rest/v1/rpc/submit_command',
      body: { command_id: randomUUID(), type: 'OpenBudget', aggregate_type: 'budget', aggregate_id: 'a', payload: secretText },
      status: 400,
    },
  };
}

test('no log line holds a token, password, key or payload, wherever a client puts it; each has status, code and duration', async () => {
  const forged = await forge({ sub: randomUUID() }, 'key-of-a-test');
  const done = Object.entries(calls(forged));
  for (const [name, { path, status, body, headers }] of done) {
    const response = await fetch(stack.gateway.url + path, {
      method: 'POST',
      headers: { apikey: publishableKey, authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    await response.text();
    expect([name, response.status]).toEqual([name, status]);
  }
  const requests = done.filter(([, { path }]) => path.startsWith('/functions/'));
  const lines = await vi.waitFor(() => {
    const written = stack.logLines().filter((line) => line.includes('"method":"POST"'));
    expect(written).toHaveLength(requests.length);
    return written;
  });

  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(entries.map(({ status }) => status)).toEqual(requests.map(([, { status }]) => status));
  for (const entry of entries) {
    expect(entry).toMatchObject({ time: expect.any(String), traceId: expect.any(String), durationMs: expect.any(Number) });
  }
  expect(entries.filter((entry) => entry['status'] !== 202 && !('code' in entry))).toEqual([]);
  const everything = stack.logLines().join('\n');
  const signature = token.split('.')[2]!;
  const secrets = { password, wrongPassword, secretText, publishableKey, refreshToken, token, signature, forged };
  expect(Object.entries(secrets).filter(([, secret]) => everything.includes(secret)).map(([name]) => name)).toEqual([]);
}, 60_000);
