import type { SupabaseClient } from '@supabase/supabase-js';
import { createFollow, type Follow } from './follow.ts';
import { createSend, type Send } from './send.ts';

export interface IntentClient {
  readonly send: Send;
  readonly follow: Follow;
}

/** Intent over a signed-in client of supabase-js. Runs in browsers, and in Node from 22 on. */
export function createIntentClient(supabase: SupabaseClient): IntentClient {
  return { send: createSend(supabase), follow: createFollow(supabase) };
}
