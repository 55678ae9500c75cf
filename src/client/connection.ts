import type { FollowError } from './errors.ts';
import type { WaitOptions } from './wait-until.ts';

export interface Connection {
  /**
   * `connecting`: nothing is known yet. `live`: up to date, as far as anybody can know. `behind`: events are missing and are being
   * fetched. `offline`: the channel is away; the state is an earlier one, refreshed every 30 s if that is possible.
   * `closed`: for good.
   */
  readonly status: 'connecting' | 'live' | 'behind' | 'offline' | 'closed';
  /** What is wrong, or why it is closed; null if nothing is, or the caller closed it. */
  readonly error: FollowError | null;
}

/** What every following has. */
export interface Live {
  /** Resolves when all up to this position is applied: give it an outcome's `lastPosition`. Throws `FollowError`. */
  waitFor(position: number, options?: WaitOptions): Promise<void>;
  /** Leaves the channel, and ends the iterations. */
  close(): void;
}
