import type { SupabaseClient } from '@supabase/supabase-js';
import { FollowError, refusedEntry, signedOut } from './errors.ts';

/** Who the token says that we are. The server asks the membership row instead. */
export interface Session {
  readonly tenantId: string;
  readonly userId: string;
  readonly role: string;
}

/** Refreshes a token that ends. Throws `FollowError` if nobody is signed in or the token has no tenant. */
export async function readSession(supabase: SupabaseClient): Promise<Session> {
  const { data, error } = await supabase.auth.getSession();
  if (error?.name === 'AuthRetryableFetchError') {
    throw new FollowError('UNAVAILABLE', `The token cannot be refreshed now: ${error.message}`, { cause: error });
  }
  if (data.session === null) throw signedOut(error);
  const claims = decodeClaims(data.session.access_token);
  const [tenantId, userId, role] = ['tenant_id', 'sub', 'tenant_role'].map((name) => claims[name]);
  if (typeof tenantId === 'string' && typeof userId === 'string') return { tenantId, userId, role: String(role) };
  const refusal = refusedEntry(claims['tenant_refused']);
  if (refusal !== undefined) throw refusal;
  throw new FollowError(
    'NO_TENANT',
    'The access token has no claim tenant_id: choose a tenant with api.switch_tenant and refresh the session.',
  );
}

/** Calls back when the user signs out, here or in another tab of the browser, or cannot be refreshed. The result stops it. */
export function onSignedOut(supabase: SupabaseClient, callback: () => void): () => void {
  const { data } = supabase.auth.onAuthStateChange((event) => event === 'SIGNED_OUT' && callback());
  return () => data.subscription.unsubscribe();
}

/** Without a look at the signature: nothing is granted here. */
function decodeClaims(token: string): Readonly<Record<string, unknown>> {
  const base64 = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}
