import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Admission } from './admission.ts';
import type { Attendant, PresenceBoard } from './presence.ts';

/** Of a join. */
export const presenceConfigSchema = z.object({ key: z.string().max(255).default(''), enabled: z.boolean().default(false) });

const messageSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('track'), payload: z.record(z.string(), z.unknown()).default({}) }),
  z.object({ event: z.literal('untrack') }),
]);

type Admitted = Extract<Admission, { admitted: true }>;

export interface ChannelPresenceOptions {
  readonly board: PresenceBoard;
  readonly topic: string;
  readonly config: z.infer<typeof presenceConfigSchema>;
  readonly admission: Admitted;
  readonly push: (event: string, payloadJson: string) => void;
}

/** What one channel's client is told of others, and what it says of itself. */
export interface ChannelPresence {
  /** Tells the client who is there, where it wants to know. */
  open(): void;
  /** The client says that it is there, or no more. Answers why not, or null. */
  receive(payload: unknown): Promise<string | null>;
  /** A new token: whether the client may be seen is asked again. */
  readmit(admission: Admitted): void;
  leave(): void;
}

export function createChannelPresence({ board, topic, config, push, ...options }: ChannelPresenceOptions): ChannelPresence {
  const attendant: Attendant = {
    key: config.key === '' ? randomUUID() : config.key,
    onDiff: (diff) => push('presence_diff', JSON.stringify(diff)),
  };
  let { admission } = options;
  let permission: Promise<boolean> | undefined;
  let watching = false;
  let left = false;

  return {
    open: () => config.enabled && watch(),

    async receive(payload) {
      const message = messageSchema.safeParse(payload);
      if (!message.success) return 'A presence message has the event track or untrack, and an object as its payload';
      if (message.data.event === 'untrack') {
        board.untrack(topic, attendant);
        return null;
      }
      permission ??= admission.mayBePresent();
      if (!(await permission)) return `Unauthorized: You do not have permissions to be present on this Channel topic: ${topic}`;
      if (left) return null;
      // As in Supabase: whoever shows itself sees the others from then on.
      watch();
      board.track(topic, attendant, message.data.payload);
      return null;
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

  function watch(): void {
    if (watching || !admission.seesPresence) return;
    watching = true;
    push('presence_state', JSON.stringify(board.list(topic)));
    board.watch(topic, attendant);
  }
}
