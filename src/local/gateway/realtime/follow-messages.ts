import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LogicalReplicationService } from 'pg-logical-replication';
import type { Pgoutput } from 'pg-logical-replication';
import type { Broadcast } from './hub.ts';
import { TemporarySlotPlugin } from './temporary-slot-plugin.ts';

const retryDelaysMs = [100, 250, 500, 1_000, 2_000];
const connectTimeoutMs = 5_000;

export interface FollowOptions {
  readonly databaseUrl: string;
  readonly onBroadcast: (broadcast: Broadcast) => void;
  /** The stream stands again after a break. What was committed meanwhile is lost to it. */
  readonly onRecovered: () => void;
  readonly log: (line: string) => void;
}

export interface Follower {
  isStreaming(): boolean;
  stop(): Promise<void>;
}

/**
 * Streams the private broadcasts that are inserted into realtime.messages, from the WAL, and connects again when PostgreSQL goes
 * away. Throws if the first connection fails.
 */
export async function followMessages({ databaseUrl, onBroadcast, onRecovered, log }: FollowOptions): Promise<Follower> {
  const stopping = new AbortController();
  const firstStart = Promise.withResolvers<void>();
  let service: LogicalReplicationService | null = null;
  let streaming = false;
  let startedBefore = false;
  let failures = 0;

  function onStart() {
    streaming = true;
    failures = 0;
    if (startedBefore) {
      log('realtime: follows the WAL again');
      onRecovered();
    }
    startedBefore = true;
    firstStart.resolve();
  }

  async function keepFollowing() {
    while (!stopping.signal.aborted) {
      service = createService(databaseUrl, onStart, onBroadcast);
      const slotName = `intent_realtime_${randomUUID().replaceAll('-', '')}`;
      const fault = await service.subscribe(new TemporarySlotPlugin(), slotName).then(
        () => new Error('the stream ended'),
        (error: Error) => error,
      );
      streaming = false;
      await service.destroy();
      if (stopping.signal.aborted) return;
      if (!startedBefore) return firstStart.reject(fault);
      if (failures === 0) log(`realtime: lost the WAL (${fault.message}), connects again`);
      const waitMs = retryDelaysMs[Math.min(failures, retryDelaysMs.length - 1)];
      failures += 1;
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const ended = keepFollowing();
  await firstStart.promise;

  return {
    isStreaming: () => streaming,
    async stop() {
      stopping.abort();
      await service?.stop();
      await ended;
    },
  };
}

function createService(databaseUrl: string, onStart: () => void, onBroadcast: (broadcast: Broadcast) => void) {
  const service = new LogicalReplicationService({ connectionString: databaseUrl, connectionTimeoutMillis: connectTimeoutMs });
  service.on('start', onStart);
  service.on('data', (_lsn: string, message: Pgoutput.Message) => {
    const broadcast = readBroadcast(message);
    if (broadcast) onBroadcast(broadcast);
  });
  service.on('heartbeat', (lsn: string, _time: number, shouldRespond: boolean) => {
    if (shouldRespond) void service.acknowledge(lsnBefore(lsn));
  });
  // subscribe() rejects with the same error.
  service.on('error', () => undefined);
  return service;
}

function readBroadcast(message: Pgoutput.Message): Broadcast | null {
  if (message.tag !== 'insert') return null;
  const { id, topic, event, payload, extension, private: isPrivate } = message.new as Record<string, string | null>;
  if (isPrivate !== 't' || extension !== 'broadcast' || !id || !topic || !event || !payload) return null;
  return { id, topic, event, payload };
}

/**
 * A PostgreSQL that shuts down waits until its reader confirms the exact position that it asks about, or for a minute. The
 * library confirms the byte after the one that it is given.
 */
function lsnBefore(lsn: string): string {
  const [high, low] = lsn.split('/').map((part) => BigInt(`0x${part}`));
  const before = ((high! << 32n) | low!) - 1n;
  return `${(before >> 32n).toString(16)}/${(before & 0xffffffffn).toString(16)}`;
}
