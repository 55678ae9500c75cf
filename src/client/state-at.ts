import type { SupabaseClient } from '@supabase/supabase-js';
import { openApi } from './api.ts';
import { fold } from './fold.ts';
import { type AggregateType, slices, type StateOf } from './slices.ts';

/** The last event that counts: by the aggregate's version, or by when it was recorded. */
export type Moment = { readonly version: number } | { readonly time: Date | string };

export type StateAt = <Aggregate extends AggregateType>(
  aggregateType: Aggregate,
  aggregateId: string,
  moment: Moment,
) => Promise<{ readonly state: StateOf<Aggregate>; readonly version: number }>;

/** The state of an aggregate as it was. Before its first event it is the initial one, at version 0. Throws `FollowError`. */
export function createStateAt(supabase: SupabaseClient): StateAt {
  return async (aggregateType, aggregateId, moment) => {
    const until = 'version' in moment ? { version: moment.version } : { at: new Date(moment.time).toISOString() };
    const { version, events } = await (await openApi(supabase)).streamAsOf(aggregateType, aggregateId, until);
    return { state: fold(slices[aggregateType], events) as StateOf<typeof aggregateType>, version };
  };
}
