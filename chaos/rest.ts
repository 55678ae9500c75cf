import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Follower } from './checker/evidence.ts';

const pollMs = 100;

// What is left to do by itself. An order that is `placed` is on its way to its end; one that waits for an approval is not.
const unfinished = `
  select
    (select count(*) from intent.commands where status in ('pending', 'dispatched') and due_at <= clock_timestamp())
    + (select count(*) from intent.reactions)
    + (select count(*) from intent.processes where calls <> '{}')
    + (select count(*) from intent.orders where status = 'placed') as left,
    (select coalesce(jsonb_object_agg(tenant_id, head), '{}')
     from (select tenant_id, max(position) as head from intent.events group by tenant_id) as heads) as heads`;

/** So long it waits for what is late, to tell it from what never comes. */
const longestRestMs = 180_000;

/**
 * Waits until nothing is left to do and every follower has read all of it. False if that takes too long, or
 * the signal aborts. It polls: rest has no event.
 */
export async function untilRest(admin: pg.Pool, followers: readonly Follower[], signal: AbortSignal): Promise<boolean> {
  const giveUpAt = performance.now() + longestRestMs;
  while (performance.now() < giveUpAt && !signal.aborted) {
    if (await isAtRest(admin, followers)) return true;
    await sleep(pollMs);
  }
  return false;
}

async function isAtRest(admin: pg.Pool, followers: readonly Follower[]): Promise<boolean> {
  try {
    const { rows } = await admin.query<{ left: string; heads: Record<string, number> }>(unfinished);
    const { left, heads } = rows[0]!;
    return left === '0' && followers.every(({ tenantId, applied }) => (applied.at(-1)?.position ?? 0) >= (heads[tenantId] ?? 0));
  } catch {
    // The server is on its way up.
    return false;
  }
}
