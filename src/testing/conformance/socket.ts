import { setTimeout as delay } from 'node:timers/promises';
import type { Target } from './target.ts';

/** A refusal comes after five seconds on a hosted project. */
const patienceMs = 15_000;
const lookEveryMs = 20;

export type Frame = readonly [joinRef: string | null, ref: string | null, topic: string, event: string, payload: Record<string, unknown>];

export interface Reply {
  readonly status: string;
  readonly reason: string;
}

export interface Socket {
  /** Everything that came as text. */
  readonly frames: readonly Frame[];
  /** Sends text as it is. */
  sendText(text: string): void;
  /** Returns the frame's reference. `topic`: without its prefix. */
  send(topic: string, event: string, payload: unknown): string;
  /** Sends a frame and waits for its reply. */
  ask(topic: string, event: string, payload: unknown): Promise<Reply>;
  /** Waits for a frame. */
  next(description: string, wanted: (frame: Frame) => boolean): Promise<Frame>;
  /** Waits for the answer to a heartbeat: what was sent before has been read. */
  settle(): Promise<void>;
  close(): void;
}

/** A socket of Realtime, protocol 2.0.0, without a library in between that would mend anything. */
export async function openSocket({ url, key }: Target): Promise<Socket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/realtime/v1/websocket?apikey=${encodeURIComponent(key)}&vsn=2.0.0`);
  const frames: Frame[] = [];
  let refs = 0;
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') frames.push(JSON.parse(data) as Frame);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error('the socket cannot be opened')));
  });

  return {
    frames,
    sendText: (text) => socket.send(text),
    send: (topic, event, payload) => sendFrame(`realtime:${topic}`, event, payload),
    async ask(topic, event, payload) {
      const ref = sendFrame(`realtime:${topic}`, event, payload);
      const [, , , , { status, response }] = await next(`a reply to ${event}`, (frame) => frame[1] === ref);
      return { status: String(status), reason: (response as { reason?: string } | undefined)?.reason ?? '' };
    },
    next,
    async settle() {
      const ref = sendFrame('phoenix', 'heartbeat', {});
      await next('a heartbeat', (frame) => frame[1] === ref);
    },
    close: () => socket.close(),
  };

  function sendFrame(topic: string, event: string, payload: unknown): string {
    refs += 1;
    socket.send(JSON.stringify(['1', String(refs), topic, event, payload]));
    return String(refs);
  }

  async function next(description: string, wanted: (frame: Frame) => boolean): Promise<Frame> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const found = frames.find(wanted);
      if (found) return found;
      if (performance.now() > until || socket.readyState > WebSocket.OPEN) throw new Error(`${description} has not come`);
      await delay(lookEveryMs);
    }
  }
}
