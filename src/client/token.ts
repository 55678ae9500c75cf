import type { AuthError, SupabaseClient } from '@supabase/supabase-js';

/** Auth limits refreshes by address, so a fault that a new token does not mend must not ask for one again and again. */
const shortestRenewalPauseMs = 30_000;

/** `ended`: the session cannot be refreshed any more, whatever supabase-js believes of its token. */
export type Renewal = 'renewed' | 'unchanged' | 'ended';

interface Renewals {
  count: number;
  /** By a clock that nobody sets. */
  lastAt: number;
  running: Promise<Renewal> | undefined;
}

const renewals = new WeakMap<SupabaseClient, Renewals>();

/**
 * Calls. If the server does not take the token that supabase-js believes to be good (this machine's clock may be hours behind, or the
 * keys have changed), gets a new one, once, and calls again. `onEnded` may throw.
 */
export async function withGoodToken<Answer>(
  supabase: SupabaseClient,
  call: () => PromiseLike<Answer>,
  isRefused: (answer: Answer) => boolean,
  onEnded: () => void = () => {},
): Promise<Answer> {
  const { count } = renewalsOf(supabase);
  const answer = await call();
  if (!isRefused(answer)) return answer;
  const renewal = await renewToken(supabase, count);
  if (renewal === 'ended') onEnded();
  return renewal === 'renewed' ? call() : answer;
}

/** If there was another renewal `since` so many, that one will do. */
export async function renewToken(supabase: SupabaseClient, since = renewalsOf(supabase).count): Promise<Renewal> {
  const state = renewalsOf(supabase);
  if (state.count > since) return 'renewed';
  if (performance.now() - state.lastAt < shortestRenewalPauseMs) return 'unchanged';
  state.running ??= renew(supabase, state).finally(() => (state.running = undefined));
  return state.running;
}

async function renew(supabase: SupabaseClient, state: Renewals): Promise<Renewal> {
  try {
    const { error } = await supabase.auth.refreshSession();
    if (error !== null) return isFinal(error) ? 'ended' : 'unchanged';
  } catch {
    // A client that has its tokens from elsewhere (`accessToken`) has nothing to refresh.
    return 'unchanged';
  }
  state.count += 1;
  state.lastAt = performance.now();
  return 'renewed';
}

/** Not a rate limit, nor a fault of the server or on the way to it. */
function isFinal({ status = 0 }: AuthError): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function renewalsOf(supabase: SupabaseClient): Renewals {
  const known = renewals.get(supabase) ?? { count: 0, lastAt: -Infinity, running: undefined };
  renewals.set(supabase, known);
  return known;
}
