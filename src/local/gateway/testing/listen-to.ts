import type { RealtimeChannel, SupabaseClient } from '@supabase/supabase-js';

const patienceMs = 10_000;

export interface ReceivedBroadcast {
  readonly type: string;
  readonly event: string;
  readonly payload: Record<string, unknown>;
}

export interface Listening {
  readonly channel: RealtimeChannel;
  readonly systemMessages: readonly unknown[];
  nextMessage(): Promise<ReceivedBroadcast>;
  /** Waits for a status after the first SUBSCRIBED; those before it are skipped. */
  nextStatus(wanted: string): Promise<void>;
  /** How many messages have come and not been asked for. */
  waiting(): number;
}

/** Subscribes to a topic and remembers what comes. Rejects with the server's reason if the join is refused. */
export async function listenTo(client: SupabaseClient, topic: string, config = { private: true }): Promise<Listening> {
  const messages = createQueue<ReceivedBroadcast>();
  const statuses = createQueue<{ status: string; error: Error | undefined }>();
  const systemMessages: unknown[] = [];
  const channel = client
    .channel(topic, { config })
    // The library's type leaves out the event's name and meta, which the wire has.
    .on('broadcast', { event: '*' }, (message) => messages.put(message as unknown as ReceivedBroadcast))
    .on('system', {}, (message) => systemMessages.push(message))
    .subscribe((status, error) => statuses.put({ status, error }));

  const { status, error } = await statuses.take();
  if (status !== 'SUBSCRIBED') {
    await client.removeChannel(channel);
    throw error ?? new Error(status);
  }
  return {
    channel,
    systemMessages,
    nextMessage: messages.take,
    waiting: messages.size,
    async nextStatus(wanted) {
      while ((await statuses.take()).status !== wanted);
    },
  };
}

interface Queue<Item> {
  put(item: Item): void;
  /** Rejects when nothing comes in ten seconds. */
  take(): Promise<Item>;
  size(): number;
}

function createQueue<Item>(): Queue<Item> {
  const items: Item[] = [];
  const arrivals = new EventTarget();
  return {
    put(item) {
      items.push(item);
      arrivals.dispatchEvent(new Event('item'));
    },
    take() {
      return new Promise((resolve, reject) => {
        const hand = () => {
          if (items.length === 0) return;
          clearTimeout(impatience);
          arrivals.removeEventListener('item', hand);
          resolve(items.shift()!);
        };
        const impatience = setTimeout(() => {
          arrivals.removeEventListener('item', hand);
          reject(new Error('nothing has come'));
        }, patienceMs);
        arrivals.addEventListener('item', hand);
        hand();
      });
    },
    size: () => items.length,
  };
}
