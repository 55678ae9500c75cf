import type { CommandResult, CommandToSend, CommandType, RejectionCode, SendOptions } from './commands.ts';
import type { Connection, Live } from './connection.ts';
import { createFollowing } from './following.ts';
import type { LiveFeedDeps } from './live-feed.ts';
import type { GetOutcome } from './outcome.ts';
import type { Pending } from './pending.ts';
import type { Send } from './send.ts';
import { type AggregateType, type CommandOf, slices, type StateOf } from './slices.ts';
import type { ReadableStore } from './store.ts';

export interface Followed<Aggregate extends AggregateType> {
  /** With the pending commands applied; without any it is `confirmedState`. */
  readonly state: StateOf<Aggregate>;
  /** A prefix of the truth, folded with the same `evolve` as on the server. */
  readonly confirmedState: StateOf<Aggregate>;
  /** Sent by this following, and not in the log yet. */
  readonly pending: readonly Pending<CommandOf<Aggregate>>[];
  /** The aggregate's; 0 if it has no events. */
  readonly version: number;
  /** The tenant's when the snapshot was made; null until the state is loaded. Other aggregates' events make no new snapshot. */
  readonly position: number | null;
  readonly connection: Connection;
}

/** Iterated, it gives the state once it is loaded and then the newest one, and skips what came while nobody asked. */
export interface Following<Aggregate extends AggregateType>
  extends ReadableStore<Followed<Aggregate>>, AsyncIterable<Followed<Aggregate>>, Live {
  /**
   * The client's `send`, and until the outcome is known the command shows in `state`. Rejected, failed or not taken, it is taken
   * back. The decision is made with this machine's clock and with the role in the token; the server's are what counts. A
   * command with `executeAt` does not show before its time.
   */
  send<Type extends CommandOf<Aggregate>['type'] & CommandType>(
    type: Type,
    command: Omit<CommandToSend<Type>, 'aggregateId'>,
    options?: SendOptions,
  ): Promise<CommandResult<RejectionCode<Type>>>;
}

export type Follow = <Aggregate extends AggregateType>(aggregateType: Aggregate, aggregateId: string) => Following<Aggregate>;

/**
 * Follows aggregates of the session's tenant live. Does not throw: `connection` tells what is wrong, and an iteration throws
 * the `FollowError` that closed it.
 */
export function createFollow(deps: LiveFeedDeps & { readonly send: Send; readonly getOutcome: GetOutcome }): Follow {
  return (aggregateType, aggregateId) => createFollowing(deps, slices[aggregateType], aggregateId);
}
