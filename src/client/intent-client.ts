import type { SupabaseClient } from '@supabase/supabase-js';
import { createFollow, type Follow } from './follow.ts';
import { createFollowTenant, type FollowTenant } from './follow-tenant.ts';
import { createGetOutcome, type GetOutcome } from './outcome.ts';
import { createSend, type Send } from './send.ts';
import { createStateAt, type StateAt } from './state-at.ts';
import { createTenantChannels } from './tenant-channels.ts';
import { createWaitFor, type WaitFor } from './wait-for.ts';

export interface IntentClient {
  readonly send: Send;
  readonly outcome: GetOutcome;
  readonly follow: Follow;
  readonly followTenant: FollowTenant;
  readonly stateAt: StateAt;
  readonly waitFor: WaitFor;
}

/** Intent over a signed-in client of supabase-js. Runs in browsers, and in Node from 22 on. */
export function createIntentClient(supabase: SupabaseClient): IntentClient {
  const deps = { supabase, channels: createTenantChannels(supabase) };
  const send = createSend(supabase);
  const getOutcome = createGetOutcome(supabase);
  return {
    send,
    outcome: getOutcome,
    follow: createFollow({ ...deps, send, getOutcome }),
    followTenant: createFollowTenant(deps),
    stateAt: createStateAt(supabase),
    waitFor: createWaitFor(supabase),
  };
}
