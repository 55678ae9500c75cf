import { startSocketProxy, type SocketProxy } from './socket-proxy.ts';

export interface FaultyRealtime extends SocketProxy {
  /** The next joins are refused in Realtime's words, after a time. */
  refuseJoins(times: number, reason: string, afterMs?: number): void;
  /** From the next join on nothing is streamed, as before Realtime has its replication slot. The result ends that. */
  holdStream(): { begin(): void };
  /** Joins, of which the gateway has not heard. */
  refused(): number;
  /** Broadcasts that were not streamed. */
  lost(): number;
  /** Requests for a new token. */
  refreshes(): number;
}

type Frame = [joinRef: string | null, ref: string | null, topic: string, event: string, payload: { status?: string; access_token?: string | null }];

/** In front of a gateway: Realtime as it is on a hosted project on a bad day, where the local one has no such days. */
export async function startFaultyRealtime(target: string): Promise<FaultyRealtime> {
  let toRefuse = { times: 0, reason: '', afterMs: 0 };
  let [refused, lost, refreshes] = [0, 0, 0];
  let streams = Promise.resolve();
  let isHeld = false;

  const proxy = await startSocketProxy({
    target,
    onRequest(_method, path) {
      if (path.includes('grant_type=refresh_token')) refreshes += 1;
    },
    async onClientFrame(text, { toClient }) {
      const [joinRef, ref, topic, event, payload] = JSON.parse(text) as Frame;
      // Realtime ignores what a client sends that has signed out.
      if (event === 'access_token' && (payload.access_token ?? 'sb_').startsWith('sb_')) return null;
      if (event !== 'phx_join' || toRefuse.times === 0) return text;
      toRefuse.times -= 1;
      refused += 1;
      const reply = [joinRef, ref, topic, 'phx_reply', { status: 'error', response: { reason: toRefuse.reason } }];
      setTimeout(() => toClient(JSON.stringify(reply)), toRefuse.afterMs);
      return null;
    },
    onServerFrame(data, isBinary, { toClient }) {
      // What is said of the stream's beginning comes when it begins; what was committed before is lost.
      if (!isHeld) return toClient(data, isBinary);
      if (isBinary) return void (lost += 1);
      const [, , , event, { status }] = JSON.parse(data.toString()) as Frame;
      if (event === 'system' && status === 'ok') void streams.then(() => toClient(data));
      else toClient(data);
    },
  });

  return {
    ...proxy,
    refuseJoins: (times, reason, afterMs = 0) => (toRefuse = { times, reason, afterMs }),
    holdStream() {
      isHeld = true;
      const beginning = Promise.withResolvers<void>();
      streams = beginning.promise.then(() => void (isHeld = false));
      return { begin: beginning.resolve };
    },
    refused: () => refused,
    lost: () => lost,
    refreshes: () => refreshes,
  };
}
