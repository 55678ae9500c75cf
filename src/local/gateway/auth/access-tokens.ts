import type { ClientBase } from 'pg';
import type { Tokens } from '../tokens.ts';
import { type AuthenticationMethod, runHook } from './hook.ts';
import type { Session } from './sessions.ts';
import type { UserRow } from './users.ts';

/** Short, because a removed member keeps an open realtime channel until the token ends. */
export const accessTokenSeconds = 600;

export interface AccessToken {
  readonly accessToken: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

export interface TokenRequest {
  readonly user: UserRow;
  readonly session: Session;
  readonly method: AuthenticationMethod;
  /** Of the client. */
  readonly address: string;
}

/**
 * Signs the claims of Supabase Auth, after the project's hook has had its say. `client`: the transaction of the sign-in or
 * refresh.
 */
export type IssueAccessToken = (client: ClientBase, request: TokenRequest) => Promise<AccessToken>;

export function createIssueAccessToken(tokens: Tokens): IssueAccessToken {
  // As Supabase Auth: the first event for the hook after a start has a list here, and the hook hands it back.
  let signedBefore = false;

  return async (client, { user, session, method, address }) => {
    const issuedAt = Math.floor(Date.now() / 1000);
    const expiresAt = issuedAt + accessTokenSeconds;
    const claims = {
      iss: tokens.issuer,
      sub: user.id,
      aud: signedBefore ? user.aud : [user.aud],
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
    const accessToken = await tokens.sign(await runHook(client, { userId: user.id, claims, method, address }));
    signedBefore = true;
    return { accessToken, expiresAt };
  };
}
