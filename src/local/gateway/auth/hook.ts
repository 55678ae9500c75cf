import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { z } from 'zod';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AuthError } from './auth-error.ts';

/** Supabase's. A hook that takes longer fails the sign-in. */
const hookTimeoutMs = 2_000;

/** What a session may have begun with here; Supabase has more: otp, totp, oauth, anonymous and so on. */
export type AuthenticationMethod = 'password' | 'token_refresh';

type JsonObject = Readonly<Record<string, unknown>>;

/** Supabase refuses a hook that drops one of these. */
const requiredClaims = ['iss', 'aud', 'exp', 'iat', 'sub', 'email', 'phone', 'role', 'aal', 'session_id', 'is_anonymous'];

const answerSchema = z.looseObject({
  error: z.object({ http_code: z.number().int().min(200).max(599).default(500), message: z.string().min(1) }).optional().catch(undefined),
  claims: z.record(z.string(), z.unknown()).optional(),
});

export interface HookCall {
  readonly userId: string;
  readonly claims: JsonObject;
  readonly method: AuthenticationMethod;
  /** Of the client. */
  readonly address: string;
}

/**
 * The claims after the project's hook has had its say, or as they are if it has none. `client`: the transaction of the sign-in.
 *
 * @throws AuthError if the hook refuses.
 */
export async function runHook(client: ClientBase, { userId, claims, method, address }: HookCall): Promise<JsonObject> {
  const found = await client.query<{ found: boolean }>(
    `select to_regprocedure('intent.custom_access_token_hook(jsonb)') is not null as found`,
  );
  if (!found.rows[0]?.found) return claims;

  const metadata = { uuid: randomUUID(), time: new Date().toISOString(), name: 'customize-access-token', ip_address: address };
  const event = { metadata, user_id: userId, claims, authentication_method: method };
  await client.query(`select set_config('statement_timeout', $1, true)`, [String(hookTimeoutMs)]);
  const { rows } = await client.query<{ answer: unknown }>('select intent.custom_access_token_hook($1::jsonb) as answer', [
    JSON.stringify(event),
  ]);
  await client.query('set local statement_timeout to default');
  return readAnswer(rows[0]?.answer);
}

function readAnswer(answer: unknown): JsonObject {
  const { error, claims } = answerSchema.parse(answer);
  // As there: of a hook's refusal only the status and the words are known.
  if (error) throw new AuthError(error.http_code as ContentfulStatusCode, error.http_code === 500 ? 'unexpected_failure' : 'unknown', error.message);
  if (!claims) throw new AuthError(500, 'unexpected_failure', 'output claims field is missing');
  const missing = requiredClaims.filter((claim) => !(claim in claims));
  if (missing.length > 0) throw new Error(`intent.custom_access_token_hook dropped required claims: ${missing.join(', ')}`);
  return claims;
}
