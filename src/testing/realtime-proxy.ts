import type { Random } from './random.ts';
import { type SocketProxy, startSocketProxy } from './socket-proxy.ts';

/** What happens to a broadcast on its way, and how often. The rest arrives as it was sent. */
const chances = { cut: 0.04, drop: 0.2, double: 0.15, delay: 0.3 } as const;
const longestDelayMs = 120;
/** How often a join gets a token that soon ends. */
const shortTokenChance = 0.3;

export interface RealtimeProxyOptions {
  /** The gateway's URL. */
  readonly target: string;
  readonly random: Random;
  /** The same token with an end in a second. */
  shorten(token: string): Promise<string>;
}

export interface RealtimeProxy extends SocketProxy {
  /** What has happened, by its name: so that a test sees that it was not calm by chance. */
  readonly done: Readonly<Record<string, number>>;
  /** From now on everything arrives, and tokens live as long as they say. */
  calm(): void;
}

/** In front of a gateway: HTTP passes, and the WebSocket's broadcasts are lost, doubled, delayed past others and cut off at random. */
export async function startRealtimeProxy({ target, random, shorten }: RealtimeProxyOptions): Promise<RealtimeProxy> {
  let wild = true;
  const done: Record<string, number> = { cut: 0, drop: 0, double: 0, delay: 0, short_token: 0 };
  const proxy = await startSocketProxy({
    target,
    onClientFrame: rewrite,
    onServerFrame(data, isBinary, { toClient, cut }) {
      const deliver = () => toClient(data, isBinary);
      // Broadcasts alone are binary.
      if (wild && isBinary) disturb(deliver, cut);
      else deliver();
    },
  });

  function disturb(deliver: () => unknown, cut: () => void): void {
    const what = (['cut', 'drop', 'double', 'delay'] as const).find((name) => random.chance(chances[name]));
    if (what !== undefined) done[what]! += 1;
    if (what === 'cut') return cut();
    if (what === 'drop') return;
    if (what === 'delay') return void setTimeout(deliver, random.below(longestDelayMs));
    deliver();
    if (what === 'double') deliver();
  }

  /** Of a channel whose token was shortened the longer one is kept back: null. */
  async function rewrite(text: string): Promise<string | null> {
    if (!wild) return text;
    const frame = JSON.parse(text) as [unknown, unknown, unknown, string, { access_token?: string }];
    if (frame[3] === 'access_token') return null;
    const token = frame[4].access_token;
    if (frame[3] !== 'phx_join' || token === undefined || !random.chance(shortTokenChance)) return text;
    done['short_token']! += 1;
    frame[4].access_token = await shorten(token);
    return JSON.stringify(frame);
  }

  return { ...proxy, done, calm: () => (wild = false) };
}
