import type { Pool } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../transaction.ts';
import { accessTokenSeconds, type AccessToken, type IssueAccessToken } from './access-tokens.ts';
import { AuthError } from './auth-error.ts';
import { createCap } from './cap.ts';
import { text } from './read-body.ts';
import { rotateRefreshToken, startSession } from './sessions.ts';
import { createSignInThrottle } from './sign-in-throttle.ts';
import { findUserByPassword, findUserOfSession, isBanned, presentUser, type UserRow } from './users.ts';

/** Checking a password is slow on purpose, and all wait for the same few connections. */
const maxPasswordChecks = 20;

export const passwordGrantSchema = z.object({ email: text(320), password: text(72) });
export const refreshGrantSchema = z.object({ refresh_token: text(256) });

export type SignIn = ReturnType<typeof createSignIn>;

/** How a session begins and goes on. `address`: the client's. What it returns is what supabase-js reads. */
export function createSignIn(pool: Pool, issueAccessToken: IssueAccessToken) {
  const throttle = createSignInThrottle();
  const checkPassword = createCap(maxPasswordChecks);

  return {
    async byPassword({ email, password }: z.infer<typeof passwordGrantSchema>, address: string) {
      const user = throttle.admit(email) ? await checkPassword(() => findUserByPassword(pool, email, password)) : 'busy';
      if (user === 'busy') throw new AuthError(429, 'over_request_rate_limit', 'Request rate limit reached');
      if (!user) throw new AuthError(400, 'invalid_credentials', 'Invalid login credentials');
      throttle.clear(email);
      if (isBanned(user)) throw new AuthError(400, 'user_banned', 'User is banned');
      return begin(user, address);
    },

    async byRefreshToken({ refresh_token }: z.infer<typeof refreshGrantSchema>, address: string) {
      const result = await inTransaction(pool, async (client) => {
        const session = await rotateRefreshToken(client, refresh_token);
        if (typeof session === 'string') return session;
        const user = await findUserOfSession(client, session.userId, session.id);
        if (!user) return 'not found';
        if (isBanned(user)) throw new AuthError(400, 'user_banned', 'Invalid Refresh Token: User Banned');
        const token = await issueAccessToken(client, { user, session, method: 'token_refresh', address });
        return presentSession(token, session.refreshToken, user);
      });
      // Thrown outside of the transaction, which has just revoked what was used too late.
      if (result === 'already used') throw new AuthError(400, 'refresh_token_already_used', 'Invalid Refresh Token: Already Used');
      if (result === 'not found') {
        throw new AuthError(400, 'refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found');
      }
      return result;
    },

    begin,
  };

  /** For a user who has proved who they are. */
  function begin(user: UserRow, address: string) {
    return inTransaction(pool, async (client) => {
      const session = await startSession(client, user.id);
      return presentSession(await issueAccessToken(client, { user, session, method: 'password', address }), session.refreshToken, user);
    });
  }
}

function presentSession({ accessToken, expiresAt }: AccessToken, refreshToken: string, user: UserRow) {
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: accessTokenSeconds,
    expires_at: expiresAt,
    refresh_token: refreshToken,
    user: presentUser(user),
  };
}
