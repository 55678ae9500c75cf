import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { GatewayMetrics } from '../metrics.ts';
import type { Admissions } from './admission.ts';
import { joinChannel } from './channel.ts';
import type { Channel } from './channel.ts';
import { createFrameRate } from './frame-rate.ts';
import { decodeFrame, encodeFrame } from './frames.ts';
import type { Frame, Version } from './frames.ts';
import type { Hub } from './hub.ts';
import { goodbyeMs, maxBufferedBytes, maxChannelsPerSocket, maxFramesPerSecond } from './limits.ts';
import type { PresenceBoard } from './presence.ts';
import type { Replay } from './replay.ts';

const closeCodes = { goingAway: 1001, policyViolation: 1008, internalError: 1011 } as const;

export interface SocketDeps {
  readonly hub: Hub;
  readonly presence: PresenceBoard;
  readonly admissions: Admissions;
  readonly replay: Replay;
  /** How long a client that is turned away waits for its answer. */
  readonly refusalDelayMs: number;
  readonly isStreaming: () => boolean;
  readonly onJoined: () => void;
  readonly metrics: GatewayMetrics;
  readonly log: (line: string) => void;
}

/** Speaks with one client. Returns what to call when the gateway stops. */
export function serveSocket(socket: WebSocket, version: Version, deps: SocketDeps): { stop(): void } {
  const channels = new Map<string, Channel>();
  // One frame after the other: a leave never overtakes its join.
  let work = Promise.resolve();

  const admitFrame = createFrameRate(maxFramesPerSecond);

  socket.on('message', (data: Buffer, isBinary) => {
    if (!admitFrame()) return socket.close(closeCodes.policyViolation, 'too many frames in a second');
    work = work.then(() => receive(data, isBinary)).catch((error: Error) => {
      deps.log(`realtime: ${error.message}`);
      socket.close(closeCodes.internalError, 'internal error');
    });
  });
  socket.on('error', (error) => deps.log(`realtime: a socket failed: ${error.message}`));
  socket.on('close', dropChannels);

  async function receive(data: Buffer, isBinary: boolean): Promise<void> {
    // Of a client that is gone, or was shown the door, nothing more is done.
    if (socket.readyState !== socket.OPEN) return;
    // Only broadcasts of clients are binary.
    if (isBinary) return deps.log('realtime: ignored a broadcast from a client; only the database sends here');
    const frame = decodeFrame(version, data.toString());
    if (!frame) return deps.log('realtime: ignored what is no frame of this protocol version');
    if (frame.topic === 'phoenix' && frame.event === 'heartbeat') return reply(frame, 'ok', {});

    const channel = channels.get(frame.topic);
    switch (frame.event) {
      case 'phx_join':
        channel?.drop();
        return join(frame);
      case 'phx_leave':
        return channel ? channel.leave(frame.ref) : reply(frame, 'ok', {});
      case 'access_token':
        return channel?.renew(frame.payload);
      case 'presence':
        return channel ? channel.receivePresence(frame.ref, frame.payload) : reply(frame, 'error', { reason: 'unmatched topic' });
      default:
        // Broadcasts of clients, which no policy lets send here, and whatever else: ignored, as there.
        return channel ? undefined : reply(frame, 'error', { reason: 'unmatched topic' });
    }
  }

  async function join(frame: Frame): Promise<void> {
    const channel = await openChannel(frame);
    const isOpen = !('refusal' in channel);
    deps.metrics.joins.inc({ result: isOpen ? 'admitted' : 'refused' });
    if (!isOpen) {
      refuseLater(frame, channel.refusal);
      return;
    }
    channels.set(frame.topic, channel);
    deps.onJoined();
    if (socket.readyState !== socket.OPEN) dropChannels();
  }

  async function openChannel(frame: Frame): Promise<Channel | { readonly refusal: string }> {
    if (channels.size >= maxChannelsPerSocket) return { refusal: 'ChannelRateLimitReached: Too many channels' };
    return joinChannel(frame, {
      ...deps,
      version,
      send,
      onClosed: (closed) => {
        if (channels.get(frame.topic) === closed) channels.delete(frame.topic);
      },
    });
  }

  /** Other channels of the socket do not wait for it. */
  function refuseLater(frame: Frame, reason: string): void {
    const refuse = () => socket.readyState === socket.OPEN && reply(frame, 'error', { reason });
    if (deps.refusalDelayMs === 0) refuse();
    else void delay(deps.refusalDelayMs, undefined, { ref: false }).then(refuse);
  }

  function send(message: string | Buffer): void {
    if (socket.bufferedAmount <= maxBufferedBytes) return socket.send(message);
    deps.log('realtime: cut off a client that reads too slowly');
    socket.terminate();
  }

  function reply({ joinRef, ref, topic }: Frame, status: 'ok' | 'error', response: unknown): void {
    send(encodeFrame(version, { joinRef, ref, topic, event: 'phx_reply' }, JSON.stringify({ status, response })));
  }

  function dropChannels(): void {
    for (const channel of [...channels.values()]) channel.drop();
  }

  return {
    stop() {
      for (const channel of [...channels.values()]) channel.close('The server stops');
      socket.close(closeCodes.goingAway, 'the server stops');
      const impatience = setTimeout(() => socket.terminate(), goodbyeMs);
      socket.once('close', () => clearTimeout(impatience));
    },
  };
}
