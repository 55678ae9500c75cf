import { maxBroadcastBytes } from './limits.ts';
import type { ProjectLimit } from './project-limit.ts';

/** A row of realtime.messages. */
export interface Broadcast {
  readonly id: string;
  readonly topic: string;
  readonly event: string;
  /** JSON text. */
  readonly payload: string;
}

export interface Listener {
  deliver(broadcast: Broadcast): void;
  /** Closes the channel for good. */
  close(reason: string): void;
  /** Something may have been missed: the client must join again, and catch up. */
  interrupt(): void;
}

/** Who listens to which topic. */
export interface Hub {
  add(topic: string, listener: Listener): void;
  remove(topic: string, listener: Listener): void;
  deliver(broadcast: Broadcast): void;
  interrupt(): void;
  /** How many listen. */
  count(): number;
}

/** Above the project's limit a row is dropped, and closes the channels that it was for. */
export function createHub(log: (line: string) => void, limit: ProjectLimit): Hub {
  const topics = new Map<string, Set<Listener>>();

  return {
    add(topic, listener) {
      const listeners = topics.get(topic) ?? new Set();
      topics.set(topic, listeners.add(listener));
    },

    remove(topic, listener) {
      const listeners = topics.get(topic);
      listeners?.delete(listener);
      if (listeners?.size === 0) topics.delete(topic);
    },

    deliver(broadcast) {
      const bytes = Buffer.byteLength(broadcast.payload);
      if (bytes > maxBroadcastBytes) {
        log(`realtime: dropped a broadcast of ${bytes} bytes to ${broadcast.topic}; at most ${maxBroadcastBytes} are carried`);
        return;
      }
      for (const listener of [...(topics.get(broadcast.topic) ?? [])]) {
        if (limit.admit()) listener.deliver(broadcast);
        else listener.close('Too many messages per second');
      }
    },

    interrupt() {
      for (const listener of [...topics.values()].flatMap((listeners) => [...listeners])) listener.interrupt();
    },

    count: () => [...topics.values()].reduce((sum, listeners) => sum + listeners.size, 0),
  };
}
