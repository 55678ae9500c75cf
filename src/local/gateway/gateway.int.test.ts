import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createScratchDirectory } from '../../testing/scratch-directory.ts';
import { chooseTestPort } from '../../testing/test-port.ts';
import { startPostgrest } from '../postgrest.ts';
import { StackError } from '../stack-error.ts';
import { startGateway } from './gateway.ts';
import { listenTo } from './testing/listen-to.ts';
import { newSigningKey, publishableKey, startTestGateway } from './testing/test-gateway.ts';
import type { TestGateway } from './testing/test-gateway.ts';

/** Where a function would be: tells what has reached it. */
const upstream = createServer((request, response) => {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => (bytes += chunk.length));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, bytes }));
  });
});

let gateway: TestGateway;
let stopPostgrest: () => Promise<void>;
let removeScratch: () => void;

beforeAll(async () => {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const scratch = await createScratchDirectory();
  removeScratch = scratch.remove;
  gateway = await startTestGateway(async ({ admin, authenticatorUrl, jwks }) => {
    await admin.query(`
      create function api.gateway_caller(said text = null) returns jsonb language sql stable as $$
        select jsonb_build_object('role', current_user, 'user', auth.uid(), 'said', length(said))
      $$;
      grant usage on schema api to anon, authenticated;
      grant execute on function api.gateway_caller(text) to anon, authenticated;
    `);
    const postgrest = await startPostgrest({
      home: scratch.path,
      databaseUrl: authenticatorUrl,
      jwks: { keys: [...jwks.keys] },
      port: await chooseTestPort(),
      adminPort: await chooseTestPort(),
    });
    stopPostgrest = postgrest.stop;
    return { postgrestUrl: postgrest.url, functionUrl: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` };
  });
});

afterAll(async () => {
  await gateway.stop();
  await stopPostgrest();
  removeScratch();
  upstream.close();
});

test('a signed-in client calls PostgREST as the user', async () => {
  const { userId, client } = await gateway.signUp('rest');
  expect((await client.schema('api').rpc('gateway_caller')).data).toMatchObject({ role: 'authenticated', user: userId });
});

test('a client that is not signed in is anonymous, though supabase-js sends its key as Authorization, and anonymous is refused', async () => {
  const { status, error } = await gateway.client().schema('api').rpc('gateway_caller');
  // Of PostgreSQL: the key was not taken for a token.
  expect({ status, code: error?.code }).toEqual({ status: 401, code: '42501' });
});

test('a refusal of PostgREST arrives as PostgREST wrote it', async () => {
  const { error, status } = await gateway.client().schema('api').rpc('no_such_function');
  expect({ status, code: error?.code }).toEqual({ status: 404, code: 'PGRST202' });
});

test('a token that nobody here has signed is 401', async () => {
  const answer = await fetch(`${gateway.url}/rest/v1/rpc/gateway_caller`, {
    method: 'POST',
    headers: { apikey: publishableKey, authorization: 'Bearer e30.e30.e30' },
  });
  expect(answer.status).toBe(401);
});

test.each([
  ['no', {}],
  ['a wrong', { apikey: 'sb_publishable_of_another' }],
])('%s api key is 401 as JSON', async (_, headers) => {
  const answer = await fetch(`${gateway.url}/rest/v1/rpc/gateway_caller`, { method: 'POST', headers });
  expect(answer.status).toBe(401);
  expect(await answer.json()).toHaveProperty('message');
});

test('a body over 1 MiB is 413, with and without a length', async () => {
  const body = JSON.stringify({ said: 'x'.repeat(1024 * 1024) });
  const { client } = await gateway.signUp('talkative');
  const token = (await client.auth.getSession()).data.session!.access_token;
  const post = (init: RequestInit) =>
    fetch(`${gateway.url}/rest/v1/rpc/gateway_caller`, {
      method: 'POST',
      headers: { apikey: publishableKey, authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-profile': 'api' },
      ...init,
    });
  expect((await post({ body })).status).toBe(413);
  expect((await post({ body: new Blob([body]).stream(), duplex: 'half' } as RequestInit)).status).toBe(413);
  expect((await post({ body: JSON.stringify({ said: 'x'.repeat(1000_000) }) })).status).toBe(200);
});

test('a function gets the path, the query, the headers and the whole body', async () => {
  const { client } = await gateway.signUp('function');
  const token = (await client.auth.getSession()).data.session!.access_token;
  const { data } = await client.functions.invoke('command?a=1', {
    body: { text: 'x'.repeat(2 * 1024 * 1024) },
    headers: { prefer: 'wait=5', traceparent: 'x' },
  });
  expect(data).toMatchObject({
    method: 'POST',
    url: '/functions/v1/command?a=1',
    headers: { authorization: `Bearer ${token}`, apikey: publishableKey, prefer: 'wait=5', traceparent: 'x' },
    bytes: 2 * 1024 * 1024 + 11,
  });
});

test('a browser of an allowed origin may call with the headers of supabase-js, another may not', async () => {
  const preflight = (origin: string) =>
    fetch(`${gateway.url}/rest/v1/rpc/gateway_caller`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'apikey' },
    });
  const allowed = (await preflight('http://localhost:3000')).headers;
  expect(allowed.get('access-control-allow-origin')).toBe('http://localhost:3000');
  const needed = ['authorization', 'apikey', 'content-profile', 'prefer', 'traceparent', 'x-client-info'];
  expect(allowed.get('access-control-allow-headers')?.split(',')).toEqual(expect.arrayContaining(needed));
  expect((await preflight('http://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
});

test('a path that is not there is 404 as JSON', async () => {
  const answer = await fetch(`${gateway.url}/storage/v1/object`);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toHaveProperty('message');
});

test('a part that is away is 502 as JSON, and the log says which', async () => {
  const alone = await startTestGateway();
  try {
    const answer = await fetch(`${alone.url}/functions/v1/command`, { method: 'POST' });
    expect(answer.status).toBe(502);
    expect(await answer.json()).toEqual({ message: 'The Edge Function cannot be reached' });
    expect(alone.log.join('\n')).toContain('The Edge Function cannot be reached');
  } finally {
    await alone.stop();
  }
});

test('stopping tells the channels why, closes them and answers no more', async () => {
  const stopping = await startTestGateway();
  try {
    await stopping.admin.query('create policy gateway_test on realtime.messages for select to authenticated using (true)');
    const { client } = await stopping.signUp('stopped');
    await client.realtime.setAuth();
    const room = await listenTo(client, 'room');
    await Promise.all([stopping.stopGateway(), stopping.stopGateway()]);
    await room.nextStatus('CLOSED');
    expect(room.systemMessages).toContainEqual(expect.objectContaining({ status: 'error', message: 'The server stops' }));
    await expect(fetch(stopping.url)).rejects.toThrow('fetch failed');
  } finally {
    await stopping.stop();
  }
});

async function startWith(overrides: { port?: number; databaseUrl?: string }) {
  const databaseUrl = overrides.databaseUrl ?? gateway.realtimeDatabaseUrl;
  return startGateway({
    port: overrides.port ?? 0,
    authDatabaseUrl: databaseUrl,
    realtimeDatabaseUrl: databaseUrl,
    signingKey: await newSigningKey(),
    publishableKey,
    postgrestUrl: gateway.url,
    functionUrl: gateway.url,
    allowedOrigins: [],
    log: () => {},
  });
}

test('it refuses to run with NODE_ENV=production', async () => {
  vi.stubEnv('NODE_ENV', 'production');
  try {
    await expect(startWith({})).rejects.toThrow(StackError);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('a port that is taken is an error for people, and leaves no replication slot', async () => {
  const slots = () => gateway.admin.query(`select from pg_replication_slots where database = current_database()`);
  await expect(startWith({ port: Number(new URL(gateway.url).port) })).rejects.toThrow(StackError);
  await vi.waitFor(async () => expect((await slots()).rowCount).toBe(1));
});

test('a database that is away is an error for people', async () => {
  await expect(startWith({ databaseUrl: 'postgresql://nobody:nothing@127.0.0.1:1/none' })).rejects.toThrow(StackError);
});

test('it says that it is a stand-in for development', () => {
  expect(gateway.log.join('\n')).toContain('development stand-in');
});
