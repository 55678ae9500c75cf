import assert from 'node:assert/strict';
import { generateKeyPair, SignJWT } from 'jose';
import type { Check, Context } from './check.ts';
import { ask } from './session.ts';
import { openSocket, type Socket } from './socket.ts';

const eventsOf = (tenantId: string) => `tenant:${tenantId}:events`;
const joinWith = (access_token: string | null, broadcast: object = {}, isPrivate = true) => ({
  config: { private: isPrivate, broadcast, presence: { key: 'conformance', enabled: false }, postgres_changes: [] },
  access_token,
});

async function withSocket({ target }: Context, work: (socket: Socket) => Promise<void>): Promise<void> {
  const socket = await openSocket(target);
  try {
    await work(socket);
  } finally {
    socket.close();
  }
}

/** Why a join to the first user's channel is refused with this token, or ''. */
async function refusal(context: Context, topic: string, join: object): Promise<string> {
  let reason = '';
  await withSocket(context, async (socket) => {
    ({ reason } = await socket.ask(topic, 'phx_join', join));
  });
  return reason;
}

export const realtimeChecks: readonly Check[] = [
  {
    sentence: "a member joins the tenant's channel, and is told when the stream stands",
    run: (context) =>
      withSocket(context, async (socket) => {
        const topic = eventsOf(context.first.tenantId);
        const { status, reason } = await socket.ask(topic, 'phx_join', joinWith(context.first.session.access_token, { replication_ready: true }));
        assert.equal(status, 'ok', reason);
        const [, , , , payload] = await socket.next('the word that the stream stands', ([, , , event]) => event === 'system');
        assert.deepEqual([payload['status'], payload['message']], ['ok', 'Replication connection established']);
      }),
  },
  {
    sentence: 'a stranger, and whoever is not signed in, is refused in the words that clients know',
    async run(context) {
      const topic = eventsOf(context.first.tenantId);
      const expected = `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`;
      assert.equal(await refusal(context, topic, joinWith(context.second.session.access_token)), expected);
      assert.equal(await refusal(context, topic, joinWith(null)), expected);
    },
  },
  {
    sentence: 'there are private channels only',
    async run(context) {
      const reason = await refusal(context, 'conformance', joinWith(context.first.session.access_token, {}, false));
      assert.equal(reason, 'PrivateOnly: This project only allows private channels');
    },
  },
  {
    sentence: 'what is wrong with a token is told by names that clients know',
    async run(context) {
      const token = context.first.session.access_token;
      const topic = eventsOf(context.first.tenantId);
      const { privateKey } = await generateKeyPair('ES256');
      const ofAnotherKey = await new SignJWT({ role: 'authenticated' }).setProtectedHeader({ alg: 'ES256', kid: 'conformance' }).setExpirationTime('1h').sign(privateKey);
      assert.match(await refusal(context, topic, joinWith('made-up')), /^MalformedJWT: /);
      assert.match(await refusal(context, topic, joinWith(`${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`)), /^JwtSignatureError: /);
      assert.match(await refusal(context, topic, joinWith(ofAnotherKey)), /^JwtSignerError: /);
    },
  },
  {
    sentence: 'the same token, a key, null, an unknown event and what is no frame leave the channel as it is',
    run: (context) =>
      withSocket(context, async (socket) => {
        const topic = eventsOf(context.first.tenantId);
        const token = context.first.session.access_token;
        assert.equal((await socket.ask(topic, 'phx_join', joinWith(token))).status, 'ok');
        for (const access_token of [token, context.target.key, null]) socket.send(topic, 'access_token', { access_token });
        socket.send(topic, 'conformance', {});
        socket.sendText('no frame');
        await socket.settle();
        assert.deepEqual(socket.frames.filter(([, , , event]) => event !== 'phx_reply' && event !== 'broadcast' && !event.startsWith('presence')), []);
      }),
  },
  {
    sentence: 'a token that is none closes the channel, and says why',
    run: (context) =>
      withSocket(context, async (socket) => {
        const topic = eventsOf(context.first.tenantId);
        assert.equal((await socket.ask(topic, 'phx_join', joinWith(context.first.session.access_token))).status, 'ok');
        socket.send(topic, 'access_token', { access_token: 'made-up' });
        const [, , , , payload] = await socket.next('the reason', ([, , , event]) => event === 'system');
        assert.deepEqual([payload['status'], payload['message']], ['error', 'The token provided is not a valid JWT']);
        await socket.next('the end of the channel', ([, , , event]) => event === 'phx_close');
      }),
  },
  {
    sentence: 'five words of presence in thirty seconds are taken, and the sixth closes the channel',
    run: (context) =>
      withSocket(context, async (socket) => {
        const topic = eventsOf(context.first.tenantId);
        assert.equal((await socket.ask(topic, 'phx_join', joinWith(context.first.session.access_token))).status, 'ok');
        const track = (n: number) => ({ type: 'presence', event: 'track', payload: { n } });
        for (let n = 1; n <= 5; n += 1) assert.equal((await socket.ask(topic, 'presence', track(n))).status, 'ok');
        socket.send(topic, 'presence', track(6));
        const [, , , , payload] = await socket.next('the reason', ([, , , event]) => event === 'system');
        assert.equal(payload['message'], 'Client presence rate limit exceeded');
      }),
  },
  {
    sentence: 'replay with nonsense is refused',
    async run(context) {
      const join = joinWith(context.first.session.access_token, { replay: { since: 'yesterday' } });
      assert.equal(await refusal(context, eventsOf(context.first.tenantId), join), 'UnableToReplayMessages: Replay params are not valid');
    },
  },
  {
    sentence: 'a broadcast over HTTP is 202 though nobody may send it and nobody hears it, and 422 if it is none',
    run: (context) =>
      withSocket(context, async (socket) => {
        const topic = eventsOf(context.first.tenantId);
        const token = context.first.session.access_token;
        assert.equal((await socket.ask(topic, 'phx_join', joinWith(token))).status, 'ok');
        const post = async (body: object) => (await ask(context.target, '/realtime/v1/api/broadcast', { token, body })).status;
        assert.equal(await post({ messages: [{ topic, event: 'conformance', payload: {}, private: true }] }), 202);
        assert.equal(await post({ messages: [{}] }), 422);
        await socket.settle();
        assert.ok(!JSON.stringify(socket.frames).includes('"event":"conformance"'));
      }),
  },
];
