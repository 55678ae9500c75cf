import { z } from 'zod';
import type { Admission, Admit } from './admission.ts';
import { createChannelPresence, presenceConfigSchema } from './channel-presence.ts';
import { encodeBroadcast, encodeFrame } from './frames.ts';
import type { Frame, Version } from './frames.ts';
import type { Hub, Listener } from './hub.ts';
import type { PresenceBoard } from './presence.ts';

const topicPrefix = 'realtime:';

/** setTimeout holds no more; a token that lives longer is asked for again then. */
const longestTimerMs = 2 ** 31 - 1;

const joinSchema = z.object({
  config: z.object({
    private: z.literal(true, { error: 'PrivateOnly: This project only allows private channels' }),
    broadcast: z.object({ replication_ready: z.boolean().optional() }).optional(),
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
  readonly admit: Admit;
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

/** Answers a phx_join. The channel, or null where the client is turned away. */
export async function joinChannel(frame: Frame, deps: ChannelDeps): Promise<Channel | null> {
  const { version, hub, admit, send } = deps;
  const refuse = (reason: string) => {
    reply(frame.ref, 'error', { reason });
    return null;
  };

  if (!frame.topic.startsWith(topicPrefix)) return refuse('unmatched topic');
  const topic = frame.topic.slice(topicPrefix.length);
  const join = joinSchema.safeParse(frame.payload);
  if (!join.success) return refuse(join.error.issues[0]!.message);
  const admission = await admit(topic, join.data.access_token ?? null);
  if (!admission.admitted) return refuse(admission.reason);

  let dropped = false;
  let expiry = watchExpiry(admission);
  const listener: Listener = {
    deliver: (broadcast) => send(encodeBroadcast(version, frame, broadcast)),
    interrupt: () => {
      channel.drop();
      push('phx_error', '{}');
    },
  };
  const channel: Channel = {
    async renew(payload) {
      const renewal = accessTokenSchema.safeParse(payload);
      if (!renewal.success) return channel.close('The access token is missing');
      const readmission = await admit(topic, renewal.data.access_token);
      if (dropped) return;
      if (!readmission.admitted) return channel.close(readmission.reason);
      presence.readmit(readmission);
      clearTimeout(expiry);
      expiry = watchExpiry(readmission);
    },
    async receivePresence(ref, payload) {
      const reason = await presence.receive(payload);
      if (reason === null) reply(ref, 'ok', {});
      else reply(ref, 'error', { reason });
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
      hub.remove(topic, listener);
      presence.leave();
      deps.onClosed(channel);
    },
  };

  const presence = createChannelPresence({ board: deps.presence, topic, config: join.data.config.presence, admission, push });
  hub.add(topic, listener);
  reply(frame.ref, 'ok', { postgres_changes: [] });
  if (join.data.config.broadcast?.replication_ready && deps.isStreaming()) {
    push('system', describeSystem('ok', 'Replication connection established'));
  }
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
    return setTimeout(() => channel.close('The access token has expired'), remainingMs);
  }
}
