import { setTimeout as sleep } from 'node:timers/promises';
import type { EventRow } from '../checker/evidence.ts';
import { eventRow } from '../checker/read-evidence.ts';
import type { Member } from './member.ts';

const pauseMs = 150;

interface Page {
  readonly events: readonly Parameters<typeof eventRow>[1][];
}

export interface RunningFollower {
  readonly name: string;
  readonly tenantId: string;
  readonly applied: readonly EventRow[];
  stop(): Promise<void>;
}

/** Reads a tenant's feed, page by page, for as long as the run lasts, and keeps what it has applied. */
export function startFollower(name: string, tenantId: string, member: Member): RunningFollower {
  const applied: EventRow[] = [];
  const stopping = new AbortController();

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const { events } = await member.call<Page>('api.read_feed($1, 200)', [applied.at(-1)?.position ?? 0]);
        applied.push(...events.map((event) => eventRow(tenantId, event)));
      } catch {
        // The connection is disturbed: it asks again from where it is.
      }
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const following = follow();
  return {
    name,
    tenantId,
    applied,
    async stop() {
      stopping.abort();
      await following;
    },
  };
}
