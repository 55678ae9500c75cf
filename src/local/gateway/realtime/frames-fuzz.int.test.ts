import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { hostileText } from '../../../testing/hostile-text.ts';
import { publishableKey, startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  await gateway.admin.query('create policy gateway_test on realtime.messages for select to authenticated using (true)');
  const { client } = await gateway.signUp('fuzz');
  token = (await client.auth.getSession()).data.session!.access_token;
});

afterAll(() => gateway.stop());

const runs = 150;
const timeLimitMs = 5_000;
const internalError = 1011;
const text = hostileText(60);

const join = fc.record({
  config: fc.oneof(
    fc.constant({ private: true }),
    fc.constant({ private: true, broadcast: { replication_ready: true }, presence: { key: '' } }),
    fc.jsonValue(),
  ),
  access_token: fc.oneof(fc.constant(null), fc.constant('of the user'), fc.constant(publishableKey), text),
});

/** Mostly frames that are understood, so that what stands behind them is reached. */
const frame = fc
  .tuple(
    fc.oneof(fc.constantFrom('1', '2', null), text),
    fc.oneof(fc.constantFrom('1', '2', null), text),
    fc.oneof(fc.constantFrom('realtime:room', 'realtime:', 'phoenix', 'room'), text.map((topic) => `realtime:${topic}`), text),
    fc.oneof(fc.constantFrom('phx_join', 'phx_leave', 'access_token', 'heartbeat', 'broadcast', 'presence'), text),
    fc.oneof(join, fc.jsonValue()),
  )
  .map((parts) => JSON.stringify(parts));

const sent = fc.array(fc.oneof({ weight: 20, arbitrary: frame }, text, fc.uint8Array({ maxLength: 60 })), { maxLength: 12 });

test('whatever frames come, the gateway has no fault: it answers the next heartbeat, or says why it closes', async () => {
  await fc.assert(
    fc.asyncProperty(sent, async (messages) => {
      const query = `apikey=${publishableKey}&vsn=2.0.0`;
      const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/realtime/v1/websocket?${query}`);
      await once(socket, 'open');
      const ended = Promise.race([heartbeatAnswer(socket), once(socket, 'close').then(([code]) => code as number)]);
      for (const message of messages) socket.send(typeof message === 'string' ? message.replace('of the user', token) : message);
      socket.send(JSON.stringify([null, 'the end', 'phoenix', 'heartbeat', {}]));
      expect(await ended).not.toBe(internalError);
      socket.terminate();
    }),
    { numRuns: runs, plugins: [fc.interruptAfterTimeLimit(timeLimitMs)] },
  );
}, 30_000);

function heartbeatAnswer(socket: WebSocket): Promise<'answered'> {
  return new Promise((resolve) => {
    socket.on('message', (data: Buffer) => {
      if (data.toString().includes('"the end"')) resolve('answered');
    });
  });
}
