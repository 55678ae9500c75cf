import type { ClientBase } from 'pg';
import { z } from 'zod';
import type { Tokens } from '../tokens.ts';
import { AuthError } from './auth-error.ts';
import type { Session } from './sessions.ts';
import type { UserRow } from './users.ts';

/** Short, because a removed member keeps an open realtime channel until the token ends. */
export const accessTokenSeconds = 600;

export type AuthenticationMethod = 'password' | 'token_refresh';

/** Supabase refuses a hook that drops one of these. */
const requiredClaims = ['iss', 'aud', 'exp', 'iat', 'sub', 'email', 'phone', 'role', 'aal', 'session_id', 'is_anonymous'];

const hookAnswerSchema = z.union([
  z.looseObject({ error: z.object({ http_code: z.number().optional(), message: z.string() }) }),
  z.looseObject({ claims: z.record(z.string(), z.unknown()) }),
]);

export interface AccessToken {
  readonly accessToken: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Signs the claims of Supabase Auth, after the project's hook has had its say. `client`: the transaction of the sign-in or
 * refresh.
 */
export async function issueAccessToken(
  client: ClientBase,
  tokens: Tokens,
  user: UserRow,
  session: Session,
  method: AuthenticationMethod,
): Promise<AccessToken> {
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + accessTokenSeconds;
  const claims = {
    iss: tokens.issuer,
    sub: user.id,
    aud: user.aud,
    exp: expiresAt,
    iat: issuedAt,
    email: user.email,
    phone: '',
    app_metadata: user.raw_app_meta_data,
    user_metadata: user.raw_user_meta_data,
    role: user.role,
    aal: 'aal1',
    amr: [{ method: 'password', timestamp: Math.floor(session.signedInAt.getTime() / 1000) }],
    session_id: session.id,
    is_anonymous: user.is_anonymous,
  };
  return { accessToken: await tokens.sign(await runHook(client, user.id, claims, method)), expiresAt };
}

async function runHook(
  client: ClientBase,
  userId: string,
  claims: Record<string, unknown>,
  method: AuthenticationMethod,
): Promise<Record<string, unknown>> {
  const found = await client.query<{ found: boolean }>(
    `select to_regprocedure('intent.custom_access_token_hook(jsonb)') is not null as found`,
  );
  if (!found.rows[0]?.found) return claims;

  const event = { user_id: userId, claims, authentication_method: method };
  const { rows } = await client.query<{ answer: unknown }>('select intent.custom_access_token_hook($1::jsonb) as answer', [
    JSON.stringify(event),
  ]);
  const answer = hookAnswerSchema.parse(rows[0]?.answer);
  if ('error' in answer) throw new AuthError(403, 'hook_rejected', (answer.error as { message: string }).message);

  const missing = requiredClaims.filter((claim) => !(claim in answer.claims));
  if (missing.length > 0) throw new Error(`intent.custom_access_token_hook dropped required claims: ${missing.join(', ')}`);
  return answer.claims;
}
