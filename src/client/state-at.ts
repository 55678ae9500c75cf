import type { SupabaseClient } from '@supabase/supabase-js';
import type { Slice } from '../domain/kernel/slice.ts';
import { openApi } from './api.ts';
import { foldPages } from './fold-pages.ts';
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
    const api = await openApi(supabase);
    const slice: Slice = slices[aggregateType];
    const readPage = (afterVersion: number) => api.streamAsOf(aggregateType, aggregateId, until, afterVersion);
    const { state, last } = await foldPages(slice, { state: slice.decider.initialState, version: 0, page: await readPage(0) }, readPage);
    return { state: state as StateOf<typeof aggregateType>, version: last.version };
  };
}
