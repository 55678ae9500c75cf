import type { Clock } from '../ports/clock.ts';
import type { HintAnnouncer } from '../ports/hint-announcer.ts';
import type { Logger } from '../ports/logger.ts';

export interface AnnounceDeps {
  readonly announcer: HintAnnouncer;
  readonly clock: Clock;
  readonly log: Logger;
  /** (Default: 1,000) */
  readonly intervalMs?: number;
}

const longestIntervalMs = 30_000;

/**
 * Tells members of tenants above their rate of hints how far the log goes, about once a second, until the signal aborts. A database
 * that is away is asked less and less often: without an announcement clients look by themselves every 30 s.
 */
export async function announceHints({ announcer, clock, log, intervalMs = 1_000 }: AnnounceDeps, signal: AbortSignal): Promise<void> {
  let failures = 0;
  for (;;) {
    await clock.sleep(Math.min(intervalMs * 2 ** failures, longestIntervalMs), signal);
    if (signal.aborted) return;
    try {
      await announcer.announce();
      failures = 0;
    } catch (error) {
      failures += 1;
      log.warn({ err: error, failures }, 'Hints of busy tenants wait: they cannot be announced');
    }
  }
}
