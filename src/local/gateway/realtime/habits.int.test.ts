import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { expectSoon } from '../../../testing/expect-soon.ts';
import { listenTo } from '../testing/listen-to.ts';
import { publishableKey, startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

// What Supabase's Realtime does and a client must bear, in its words.

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  await gateway.admin.query(`
    create function public.may_hear() returns boolean language sql as 'select true';
    create policy hear on realtime.messages for select to authenticated
      using (case realtime.topic()
        when 'seen' then extension = 'presence' when 'faulty' then 1 / (random() * 0)::int = 1 when 'slow' then pg_sleep(20) is not null
        else realtime.topic() not like 'closed%' and public.may_hear() end);
    create policy speak on realtime.messages for insert to authenticated with check (extension = 'broadcast' and realtime.topic() = 'open')
  `);
});

afterAll(() => gateway.stop());

type Frame = [string | null, string | null, string, string, Record<string, unknown>];

async function openSocket(of = gateway) {
  const socket = new WebSocket(`${of.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${publishableKey}&vsn=2.0.0`);
  await once(socket, 'open');
  const frames: Frame[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) frames.push(JSON.parse(data.toString()) as Frame);
  });
  let ref = 0;
  const send = (topic: string, event: string, payload: unknown) => {
    ref += 1;
    socket.send(JSON.stringify(['1', String(ref), topic, event, payload]));
    return String(ref);
  };
  return {
    frames,
    close: () => socket.terminate(),
    send: (topic: string, event: string, payload: unknown) => send(`realtime:${topic}`, event, payload),
    async reply(topic: string, event: string, payload: unknown): Promise<{ status: string; response: { reason?: string } }> {
      const sent = send(`realtime:${topic}`, event, payload);
      await expectSoon(() => frames.find(([, of_]) => of_ === sent)).toBeDefined();
      return frames.find(([, of_]) => of_ === sent)![4] as { status: string; response: { reason?: string } };
    },
    async settled() {
      const sent = send('phoenix', 'heartbeat', {});
      await expectSoon(() => frames.some(([, of_]) => of_ === sent)).toBe(true);
    },
  };
}

async function newToken(claims: Record<string, unknown> = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 600;
  return gateway.tokens.sign({ iss: gateway.tokens.issuer, aud: 'authenticated', role: 'authenticated', sub: randomUUID(), session_id: randomUUID(), exp, ...claims });
}

const join = (access_token: string | null, broadcast: object = {}) => ({ config: { private: true, broadcast }, access_token });

async function reasonOf(topic: string, token: string | null, broadcast?: object): Promise<string | undefined> {
  const socket = await openSocket();
  const { response } = await socket.reply(topic, 'phx_join', join(token, broadcast));
  socket.close();
  return response.reason;
}

describe('why a join is refused', () => {
  const denied = (topic: string) => `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`;

  test('no policy says yes', async () => {
    expect(await reasonOf('closed', await newToken())).toBe(denied('closed'));
  });

  test('a policy fails, which is told in the same words', async () => {
    expect(await reasonOf('faulty', await newToken())).toBe(denied('faulty'));
    expect(gateway.log.join('\n')).toContain('division by zero');
  });

  test('a policy asks a function that is being replaced: the same words, and a moment later all is well', async () => {
    await gateway.admin.query(`create or replace function public.may_hear() returns boolean language plpgsql as 'begin return public.not_there(); end'`);
    expect(await reasonOf('room', await newToken())).toBe(denied('room'));
    await gateway.admin.query(`create or replace function public.may_hear() returns boolean language sql as 'select true'`);
    expect(await reasonOf('room', await newToken())).toBeUndefined();
  });

  test('a policy takes too long', async () => {
    expect(await reasonOf('slow', await newToken())).toMatch(/^QueryCanceled: /);
  });

  test('the table has no partition for today', async () => {
    const partitions = await gateway.admin.query<{ name: string }>(`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'realtime.messages'::regclass`);
    for (const { name } of partitions.rows) await gateway.admin.query(`drop table ${name}`);
    expect(await reasonOf('room', await newToken())).toBe('MissingPartition: Realtime was unable to find the expected messages partition');
    await gateway.admin.query('set role supabase_realtime_admin; select realtime.keep_message_partitions(); reset role');
  });

  test('the token is none, forged, of another key, over, or lacks a claim', async () => {
    const token = await newToken();
    const { privateKey } = await generateKeyPair('ES256');
    const ofKey = (kid?: string) => new SignJWT({ role: 'authenticated' }).setProtectedHeader({ alg: 'ES256', ...(kid !== undefined && { kid }) }).setExpirationTime('1h').sign(privateKey);
    expect(await reasonOf('room', 'made-up')).toBe('MalformedJWT: The token provided is not a valid JWT');
    expect(await reasonOf('room', 'a.b.c')).toBe('MalformedJWT: The token provided is not a valid JWT');
    expect(await reasonOf('room', `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`)).toBe('JwtSignatureError: Failed to validate JWT signature');
    expect(await reasonOf('room', await ofKey('another'))).toBe(
      'JwtSignerError: Failed to generate JWT signer for key ID (kid) "another", check your JWT secret or JWKS configuration',
    );
    expect(await reasonOf('room', await newToken({ exp: Math.floor(Date.now() / 1000) - 5 }))).toMatch(/^InvalidJWTToken: Token has expired [56] seconds ago$/);
    expect(await reasonOf('room', await newToken({ role: undefined }))).toBe('InvalidJWTToken: Fields `role` and `exp` are required in JWT');
  });

  test('there is no topic', async () => {
    expect(await reasonOf('', await newToken())).toBe('TopicNameRequired: You must provide a topic name');
  });
});

test('a refusal can be made to come as late as there, and holds up no other channel', async () => {
  const late = await startTestGateway(undefined, { refusalDelayMs: 300 });
  await late.admin.query('create policy hear on realtime.messages for select to authenticated using (false)');
  const socket = await openSocket(late);
  const startedAt = performance.now();
  const refused = socket.reply('room', 'phx_join', join(null));
  await socket.settled();
  expect(socket.frames.some(([, , , event, payload]) => event === 'phx_reply' && payload['status'] === 'error')).toBe(false);
  expect((await refused).status).toBe('error');
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
  socket.close();
  await late.stop();
});

test('who may only see presence is admitted, and hears no broadcast', async () => {
  const socket = await openSocket();
  expect((await socket.reply('seen', 'phx_join', join(await newToken()))).status).toBe('ok');
  await gateway.admin.query(`select realtime.send('{}', 'e', 'seen')`);
  const { client } = await gateway.signUp(randomUUID());
  await client.realtime.setAuth();
  const room = await listenTo(client, 'room');
  await gateway.admin.query(`select realtime.send('{}', 'e', 'room')`);
  await room.nextMessage();
  expect(socket.frames.filter(([, , topic, event]) => topic === 'realtime:seen' && event === 'broadcast')).toEqual([]);
  socket.close();
});

test('the same token, a key, null and nonsense leave the channel as it is, and a bad token closes it', async () => {
  const token = await newToken();
  const socket = await openSocket();
  await socket.reply('room', 'phx_join', join(token));
  for (const access_token of [token, publishableKey, 'sb_secret_of_somebody', null, 7]) socket.send('room', 'access_token', { access_token });
  socket.send('room', 'access_token', {});
  socket.send('room', 'access_token', null);
  await socket.settled();
  expect(socket.frames.map(([, , , event]) => event)).toEqual(['phx_reply', 'phx_reply']);
  socket.send('room', 'access_token', { access_token: 'made-up' });
  await expectSoon(() => socket.frames.slice(2).map(([, , , event, payload]) => [event, payload['message']])).toEqual([
    ['system', 'The token provided is not a valid JWT'],
    ['phx_close', undefined],
  ]);
  socket.close();
});

test('a join may be answered before anything is streamed; who asks for it hears when it is, and what came between is lost', async () => {
  const late = await startTestGateway(undefined, { followsLate: true });
  await late.admin.query('create policy hear on realtime.messages for select to authenticated using (true)');
  const { client } = await late.signUp('late');
  const token = (await client.auth.getSession()).data.session!.access_token;
  const socket = await openSocket(late);
  await late.admin.query(`select realtime.send('{"n": 0}', 'e', 'room')`);
  expect((await socket.reply('room', 'phx_join', join(token, { replication_ready: true }))).status).toBe('ok');
  await expectSoon(() => socket.frames.find(([, , , event]) => event === 'system')?.[4]).toEqual({
    extension: 'system', status: 'ok', message: 'Replication connection established', channel: 'room',
  });
  await client.realtime.setAuth();
  const room = await listenTo(client, 'room');
  await late.admin.query(`select realtime.send('{"n": 1}', 'e', 'room')`);
  expect((await room.nextMessage()).payload).toMatchObject({ n: 1 });
  socket.close();
  await late.stop();
});

test('a broken stream can be made to pass in silence, as there', async () => {
  const silent = await startTestGateway(undefined, { hidesBreaks: true });
  await silent.admin.query('create policy hear on realtime.messages for select to authenticated using (true)');
  const { client } = await silent.signUp('silent');
  await client.realtime.setAuth();
  const room = await listenTo(client, 'room');
  await silent.admin.query('select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database() and active');
  await expectSoon(() => silent.log.join('\n')).toContain('follows the WAL again');
  await silent.admin.query(`select realtime.send('{"n": 1}', 'e', 'room')`);
  expect((await room.nextMessage()).payload).toMatchObject({ n: 1 });
  await silent.stop();
});

describe('replay', () => {
  const since = Date.now() - 60_000;

  test('the last 25 at most come again, marked, the oldest first', async () => {
    const client = gateway.client({ vsn: '1.0.0' });
    const messages: { n: unknown; meta: unknown }[] = [];
    for (let n = 1; n <= 30; n += 1) await gateway.admin.query(`select realtime.send(jsonb_build_object('n', $1::int), 'e', 'history')`, [n]);
    await client.realtime.setAuth(await newToken());
    const channel = client.channel('history', { config: { private: true, broadcast: { replay: { since, limit: 100 } } } });
    channel.on('broadcast', { event: '*' }, (message) => messages.push({ n: (message['payload'] as { n: unknown }).n, meta: message['meta'] }));
    channel.subscribe();
    await expectSoon(() => messages.length).toBe(25);
    expect(messages.map(({ n }) => n)).toEqual(Array.from({ length: 25 }, (_, n) => n + 6));
    expect(messages[0]!.meta).toEqual({ replayed: true, id: expect.any(String) });
  });

  test.each([{ since: 'yesterday' }, {}, { since: 1e17 }, { since, limit: 'all' }])('what makes no sense is refused: %j', async (replay) => {
    expect(await reasonOf('history', await newToken(), { replay })).toBe('UnableToReplayMessages: Replay params are not valid');
  });

  test('a member of nothing gets nothing', async () => {
    expect(await reasonOf('closed', await newToken(), { replay: { since } })).toMatch(/^Unauthorized/);
  });
});

describe('broadcasts over HTTP', () => {
  async function post(body: unknown, token?: string) {
    return fetch(`${gateway.url}/realtime/v1/api/broadcast`, {
      method: 'POST',
      headers: { apikey: publishableKey, 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
  }
  const message = (topic: string, n: number, isPrivate = true) => ({ topic, event: 'e', payload: { n }, private: isPrivate });

  test('202 for what is understood; heard is only what a policy lets its sender send, in private', async () => {
    const { client } = await gateway.signUp(randomUUID());
    await client.realtime.setAuth();
    const [open, room] = [await listenTo(client, 'open'), await listenTo(client, 'room')];
    const token = await newToken();
    expect((await post({ messages: [message('room', 1), message('open', 2, false), message('open', 3)] })).status).toBe(202);
    const answer = await post({ messages: [message('room', 4), message('open', 5, false), message('open', 6)] }, token);
    expect([answer.status, await answer.text()]).toEqual([202, '']);
    expect((await open.nextMessage()).payload).toEqual({ n: 6 });
    expect([open.waiting(), room.waiting()]).toEqual([0, 0]);
  });

  test.each([{}, { messages: [] }, { messages: [{}] }, { messages: [{ topic: 'open', event: 'e', payload: { text: 'x'.repeat(260_000) } }] }])(
    'what is no batch of messages is 422',
    async (body) => {
      expect((await post(body)).status).toBe(422);
    },
  );

  test('a token that is none is 401, and so is no key', async () => {
    expect((await post({ messages: [message('open', 1)] }, 'made-up')).status).toBe(401);
    expect((await fetch(`${gateway.url}/realtime/v1/api/broadcast`, { method: 'POST', body: '{}' })).status).toBe(401);
  });
});
