import type { SupabaseClient } from '@supabase/supabase-js';
import { openApi } from './api.ts';
import { asFollowError } from './errors.ts';
import { waitUntil, type WaitOptions } from './wait-until.ts';

export type WaitFor = (position: number, options?: WaitOptions) => Promise<void>;

/**
 * Resolves when the server shows the tenant's log, and with it the views of schema `api`, up to this position. Behind the one
 * database that is at once; behind a replica it takes as long as the replica lags. Throws `FollowError`.
 */
export function createWaitFor(supabase: SupabaseClient): WaitFor {
  return async (position, options) => {
    await waitUntil(isThere, `Position ${position}`, options);

    async function isThere(): Promise<boolean> {
      try {
        const api = await openApi(supabase);
        const { headPosition } = await api.readFeed(position - 1, 1);
        return headPosition >= position;
      } catch (cause) {
        const error = asFollowError(cause);
        if (error.code === 'UNAVAILABLE') return false;
        throw error;
      }
    }
  };
}
