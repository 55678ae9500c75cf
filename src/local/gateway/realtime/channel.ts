import { z } from 'zod';
import type { Admission, Admissions } from './admission.ts';
import { createChannelPresence, presenceConfigSchema } from './channel-presence.ts';
import { encodeBroadcast, encodeFrame } from './frames.ts';
import type { Frame, Version } from './frames.ts';
import type { Broadcast, Hub, Listener } from './hub.ts';
import type { PresenceBoard } from './presence.ts';
import { type Replay, replaySchema } from './replay.ts';
import { watchReplication } from './watch-replication.ts';

const topicPrefix = 'realtime:';

/** setTimeout holds no more; a token that lives longer is asked for again then. */
const longestTimerMs = 2 ** 31 - 1;

const joinSchema = z.object({
  config: z.object({
    private: z.literal(true, { error: 'PrivateOnly: This project only allows private channels' }),
    broadcast: z.object({ replication_ready: z.boolean().optional(), replay: z.looseObject({}).optional() }).optional(),
    presence: presenceConfigSchema.default({ key: '', enabled: false }),
    postgres_changes: z.array(z.unknown()).max(0, { error: 'The local gateway carries no Postgres changes' }).optional(),
  }),
  access_token: z.string().nullish(),
});

const accessTokenSchema = z.object({ access_token: z.string() });

export interface ChannelDeps {
  readonly version: Version;
  readonly hub: Hub;
  readonly presence: PresenceBoard;
  readonly admissions: Admissions;
  readonly replay: Replay;
  readonly isStreaming: () => boolean;
  readonly send: (message: string | Buffer) => void;
  /** The channel is closed for good. */
  readonly onClosed: (channel: Channel) => void;
}

export interface Channel {
  /** A new token from the client: the policy is asked again. */
  renew(payload: unknown): Promise<void>;
  /** The client shows itself, or no more. */
  receivePresence(ref: string | null, payload: unknown): Promise<void>;
  /** The client leaves. */
  leave(ref: string | null): void;
  /** Tells the client why, and that the channel is closed. */
  close(reason: string): void;
  /** Lets go without a word: the socket is gone, or the client has joined anew. */
  drop(): void;
}

/** Answers a phx_join. The channel, or why the client is turned away. */
export async function joinChannel(frame: Frame, deps: ChannelDeps): Promise<Channel | { readonly refusal: string }> {
  const { version, hub, admissions, send } = deps;
  if (!frame.topic.startsWith(topicPrefix)) return { refusal: 'unmatched topic' };
  const topic = frame.topic.slice(topicPrefix.length);
  if (topic === '') return { refusal: 'TopicNameRequired: You must provide a topic name' };
  const join = joinSchema.safeParse(frame.payload);
  if (!join.success) return { refusal: join.error.issues[0]!.message };
  let token = join.data.access_token ?? null;
  const admission = await admissions.admit(topic, token);
  if (!admission.admitted) return { refusal: `${admission.refusal.code}: ${admission.refusal.message}` };
  const replayed = await readReplay(topic, join.data.config.broadcast?.replay, deps.replay);
  if (typeof replayed === 'string') return { refusal: `UnableToReplayMessages: ${replayed}` };
  const alreadyReplayed = new Set(replayed.map(({ id }) => id));

  let dropped = false;
  let hears = admission.hearsBroadcasts;
  let expiry = watchExpiry(admission);
  const listener: Listener = {
    deliver: (broadcast) => {
      if (hears && !alreadyReplayed.has(broadcast.id)) send(encodeBroadcast(version, frame, broadcast));
    },
    close: (reason) => channel.close(reason),
    interrupt: () => {
      channel.drop();
      push('phx_error', '{}');
    },
  };
  const channel: Channel = {
    async renew(payload) {
      const renewal = accessTokenSchema.safeParse(payload);
      // As there: without a token, with a key in its place or with the one that is known nothing happens.
      if (!renewal.success || renewal.data.access_token === token || renewal.data.access_token.startsWith('sb_')) return;
      token = renewal.data.access_token;
      const readmission = await admissions.admit(topic, token);
      if (dropped) return;
      if (!readmission.admitted) return channel.close(readmission.refusal.message);
      hears = readmission.hearsBroadcasts;
      presence.readmit(readmission);
      clearTimeout(expiry);
      expiry = watchExpiry(readmission);
    },
    async receivePresence(ref, payload) {
      const answer = await presence.receive(payload);
      if (dropped) return;
      if ('close' in answer) return channel.close(answer.close);
      if (answer.ok) reply(ref, 'ok', {});
      else reply(ref, 'error', answer.response);
    },
    leave(ref) {
      channel.drop();
      reply(ref, 'ok', {});
      push('phx_close', '{}');
    },
    close(reason) {
      channel.drop();
      push('system', describeSystem('error', reason));
      push('phx_close', '{}');
    },
    drop() {
      dropped = true;
      clearTimeout(expiry);
      stopWatching();
      hub.remove(topic, listener);
      presence.leave();
      deps.onClosed(channel);
    },
  };

  const presence = createChannelPresence({ board: deps.presence, topic, config: join.data.config.presence, admission, push });
  hub.add(topic, listener);
  reply(frame.ref, 'ok', { postgres_changes: [] });
  for (const broadcast of replayed) send(encodeBroadcast(version, frame, broadcast, true));
  const stopWatching = join.data.config.broadcast?.replication_ready
    ? watchReplication({
        isStreaming: deps.isStreaming,
        onReady: () => push('system', describeSystem('ok', 'Replication connection established')),
        onImpatience: () => channel.close('Replication connection was not established in time'),
      })
    : () => {};
  presence.open();
  return channel;

  function push(event: string, payloadJson: string) {
    send(encodeFrame(version, { joinRef: frame.joinRef, ref: null, topic: frame.topic, event }, payloadJson));
  }

  function reply(ref: string | null, status: 'ok' | 'error', response: unknown) {
    const head = { joinRef: frame.joinRef, ref, topic: frame.topic, event: 'phx_reply' };
    send(encodeFrame(version, head, JSON.stringify({ status, response })));
  }

  function describeSystem(status: 'ok' | 'error', message: string): string {
    return JSON.stringify({ extension: 'system', status, message, channel: topic });
  }

  function watchExpiry({ expiresAt }: Admission & { admitted: true }) {
    if (expiresAt === null) return undefined;
    const remainingMs = Math.min(Math.max(0, expiresAt * 1000 - Date.now()), longestTimerMs);
    return setTimeout(() => channel.close(`Token has expired ${Math.max(0, Math.floor(Date.now() / 1000 - expiresAt))} seconds ago`), remainingMs);
  }
}

/** What is to be replayed, or why it cannot be. */
async function readReplay(topic: string, request: unknown, replay: Replay): Promise<readonly Broadcast[] | string> {
  if (request === undefined) return [];
  const wanted = replaySchema.safeParse(request);
  if (!wanted.success) return 'Replay params are not valid';
  return replay(topic, wanted.data).catch(() => 'Realtime was unable to replay messages');
}
