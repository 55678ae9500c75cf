import type { DomainEvent } from '../domain/registry.ts';
import type { Clock } from '../ports/clock.ts';
import { isPassing } from '../ports/errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { FeedClaim, SubscribedEvent, SubscriptionFeed } from '../ports/subscription-feed.ts';
import { readEvent } from './read-message.ts';
import { sliceOfTime } from './slice-of-time.ts';

const defaultMaxTries = 5;
const firstPauseMs = 100;
/** When there is nothing to do. */
const pollMs = 500;
/** When the store or the other side is away. */
const longPauseMs = 5_000;

/** An event as the code of this release reads it, with all that stands around it. */
export type EventOfDomain = DomainEvent & Omit<SubscribedEvent, 'type' | 'payload'>;

/**
 * Deals with one event. It may come again (a crash, a lease that has ended), so dealing with it twice must do no harm: keep
 * tenant and position with what you write. Of a tenant events come in commit order. What it throws is tried again, a few times;
 * if that is no use the event becomes a dead letter and the next one comes. `OutsideUnavailable` is tried for as long as it
 * takes.
 */
export type HandleEvent = (event: EventOfDomain, context: { readonly tenantId: string }) => Promise<void>;

export interface Subscription {
  readonly feed: SubscriptionFeed;
  readonly handle: HandleEvent;
  readonly clock: Clock;
  readonly log: Logger;
  /** Before an event is a dead letter. (Default: 5) */
  readonly maxTries?: number;
}

/**
 * Has every event of every tenant dealt with, at least once, until the signal aborts: then it finishes the event in hand and
 * acknowledges what is done. Any number of processes may run the same subscription: a tenant is with one of them at a time.
 */
export async function runSubscription({ feed, handle, clock, log, maxTries = defaultMaxTries }: Subscription, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const pauseMs = await claimAndDeal();
    if (pauseMs > 0) await clock.sleep(pauseMs, signal);
  }

  /** Returns how long to wait before the next claim. */
  async function claimAndDeal(): Promise<number> {
    try {
      const claim = await feed.claim();
      if (claim === null) return pollMs;
      await deal(claim);
      return 0;
    } catch (error) {
      if (!isPassing(error)) throw error;
      log.warn({ err: error, pauseMs: longPauseMs }, 'A subscription has to wait');
      return longPauseMs;
    }
  }

  async function deal(claim: FeedClaim): Promise<void> {
    const leaseEndsAt = performance.now() + feed.leaseMs;
    let done = claim.events[0].position - 1;
    const slice = sliceOfTime(clock);
    try {
      for (const event of claim.events) {
        if (slice.isOver()) await slice.next();
        // What the lease does not last for is claimed anew.
        if (signal.aborted || performance.now() >= leaseEndsAt || !(await dealWith(event, claim))) break;
        done = event.position;
      }
    } finally {
      if (!(await feed.acknowledge(claim, done))) log.warn({ tenantId: claim.tenantId, done }, 'A lease ended too early: events are dealt with again');
    }
  }

  /** False if it is not dealt with now: somebody else has the tenant, or this process is to stop. */
  async function dealWith(stored: SubscribedEvent, claim: FeedClaim): Promise<boolean> {
    const { tenantId } = claim;
    const { position, type } = stored;
    for (let tries = 1; ; tries += 1) {
      try {
        await handle(readEvent(stored) as EventOfDomain, { tenantId });
        return true;
      } catch (error) {
        if (isPassing(error)) throw error;
        log.warn({ tenantId, position, type, tries, err: error }, 'An event could not be dealt with');
        if (tries >= maxTries) return feed.skip(claim, position, describe(error));
      }
      await clock.sleep(firstPauseMs * 2 ** (tries - 1), signal);
      if (signal.aborted) return false;
    }
  }
}

function describe(error: unknown): { name: string; message: string } {
  return error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: String(error) };
}
