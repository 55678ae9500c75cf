import type { SupabaseClient } from '@supabase/supabase-js';
import { FollowError } from './errors.ts';
import type { RecordedEvent } from './feed.ts';

/** The SQL functions of schema `api` that following needs. Each throws `FollowError`. */
export interface Api {
  hydrate(aggregateType: string, aggregateId: string, stateVersion: number): Promise<Hydration>;
  readFeed(afterPosition: number): Promise<FeedPage>;
}

export interface Hydration {
  /** The aggregate's; 0 where it has no events. */
  readonly version: number;
  /** The tenant's, at the moment of the answer. */
  readonly position: number;
  readonly snapshot: { readonly version: number; readonly state: unknown } | null;
  /** Those after the snapshot. */
  readonly events: readonly RecordedEvent[];
}

export interface FeedPage {
  readonly events: readonly RecordedEvent[];
  readonly lastPosition: number;
  readonly headPosition: number;
}

export function createApi(supabase: SupabaseClient): Api {
  return {
    hydrate: (aggregateType, aggregateId, stateVersion) =>
      call('hydrate', { aggregate_type: aggregateType, aggregate_id: aggregateId, state_version: stateVersion }) as Promise<Hydration>,
    readFeed: (afterPosition) => call('read_feed', { after_position: afterPosition }) as Promise<FeedPage>,
  };

  async function call(name: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown> {
    const answer = await supabase.schema('api').rpc(name, parameters);
    const { error } = answer;
    const data: unknown = answer.data;
    if (error !== null) throw new FollowError(`api.${name} failed: ${error.message}`, { cause: error });
    if (data === null) throw new FollowError("The session's user is not, or no longer, an active member of the token's tenant.");
    return data;
  }
}
