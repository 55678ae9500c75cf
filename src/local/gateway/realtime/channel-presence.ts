import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Admission } from './admission.ts';
import { createPresenceLimit } from './presence-limit.ts';
import type { Attendant, PresenceBoard } from './presence.ts';

/** Of a join. */
export const presenceConfigSchema = z.object({ key: z.string().max(255).default(''), enabled: z.boolean().default(false) });

const messageSchema = z.object({ event: z.string().transform((event) => event.toLowerCase()), payload: z.unknown().optional() });
const trackSchema = z.record(z.string(), z.unknown()).default({});

type Admitted = Extract<Admission, { admitted: true }>;

/** What the client hears of what it said: `close` ends its channel. As on Supabase, most refusals say no reason. */
export type PresenceAnswer = { readonly ok: true } | { readonly ok: false; readonly response: object } | { readonly close: string };

const done: PresenceAnswer = { ok: true };
const refused: PresenceAnswer = { ok: false, response: {} };

export interface ChannelPresenceOptions {
  readonly board: PresenceBoard;
  readonly topic: string;
  readonly config: z.infer<typeof presenceConfigSchema>;
  readonly admission: Admitted;
  readonly push: (event: string, payloadJson: string) => void;
}

/** What one channel's client is told of others, and what it says of itself. */
export interface ChannelPresence {
  /** Tells the client who is there, if it wants to know. */
  open(): void;
  /** The client says that it is there, or no more. */
  receive(payload: unknown): Promise<PresenceAnswer>;
  /** A new token: whether the client may be seen is asked again. */
  readmit(admission: Admitted): void;
  leave(): void;
}

export function createChannelPresence({ board, topic, config, push, ...options }: ChannelPresenceOptions): ChannelPresence {
  const attendant: Attendant = {
    key: config.key === '' ? randomUUID() : config.key,
    onDiff: (diff) => push('presence_diff', JSON.stringify(diff)),
  };
  const admitEvent = createPresenceLimit();
  let { admission } = options;
  let permission: Promise<boolean> | undefined;
  let tracked: unknown;
  let watching = false;
  let left = false;

  return {
    open: () => config.enabled && watch(),

    async receive(payload) {
      const message = messageSchema.safeParse(payload);
      if (!message.success) return done;
      if (!admitEvent()) return { close: 'Client presence rate limit exceeded' };
      switch (message.data.event) {
        case 'untrack':
          tracked = undefined;
          board.untrack(topic, attendant);
          return done;
        case 'track':
          return track(message.data.payload);
        default:
          return refused;
      }
    },

    readmit(readmission) {
      admission = readmission;
      permission = undefined;
    },

    leave() {
      left = true;
      board.leave(topic, attendant);
    },
  };

  async function track(payload: unknown): Promise<PresenceAnswer> {
    permission ??= admission.mayBePresent().catch(() => {
      permission = undefined;
      return false;
    });
    if (!(await permission)) return refused;
    const meta = trackSchema.safeParse(payload);
    if (!meta.success) return { ok: false, response: { reason: 'Presence track payload must be a map' } };
    if (left || isDeepStrictEqual(tracked, meta.data)) return done;
    tracked = meta.data;
    // As in Supabase: anyone who shows itself sees the others from then on.
    watch();
    board.track(topic, attendant, meta.data);
    return done;
  }

  function watch(): void {
    if (watching || !admission.seesPresence) return;
    watching = true;
    push('presence_state', JSON.stringify(board.list(topic)));
    board.watch(topic, attendant);
  }
}
