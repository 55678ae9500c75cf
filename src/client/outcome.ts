import type { SupabaseClient } from '@supabase/supabase-js';
import { openApi } from './api.ts';
import type { CommandResult } from './commands.ts';

/** How a command stands. Null if it is not there, or neither sent by this user nor seen by an owner. Throws `FollowError`. */
export type GetOutcome = (commandId: string) => Promise<CommandResult | null>;

export function createGetOutcome(supabase: SupabaseClient): GetOutcome {
  return async (commandId) => (await openApi(supabase)).getCommand(commandId);
}
