import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';

export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly signedInAt: Date;
  readonly refreshToken: string;
}

export type Rotation = Session | 'not found' | 'already used';

export type SignOutScope = 'global' | 'local' | 'others';

/** Begins a session for a user who has proved who they are. */
export async function startSession(client: PoolClient, userId: string): Promise<Session> {
  await client.query('update auth.users set last_sign_in_at = now() where id = $1', [userId]);
  const { rows } = await client.query<{ id: string; created_at: Date }>(
    'insert into auth.sessions (id, user_id) values ($1, $2) returning id, created_at',
    [randomUUID(), userId],
  );
  const session = rows[0]!;
  const refreshToken = await issueRefreshToken(client, session.id, null);
  return { id: session.id, userId, signedInAt: session.created_at, refreshToken };
}

/**
 * Exchanges a refresh token for the next one. A token that comes a second time has leaked, or one of its two users is an
 * impostor: every token of its session is revoked, so both must sign in again.
 */
export async function rotateRefreshToken(client: PoolClient, token: string): Promise<Rotation> {
  const { rows } = await client.query<{ session_id: string; user_id: string; created_at: Date }>(
    `update auth.refresh_tokens set revoked = true, updated_at = now()
     from auth.sessions
     where token = $1 and not revoked and sessions.id = session_id
     returning session_id, user_id, sessions.created_at`,
    [token],
  );
  const session = rows[0];
  if (!session) return revokeFamily(client, token);

  await client.query('update auth.sessions set updated_at = now() where id = $1', [session.session_id]);
  const refreshToken = await issueRefreshToken(client, session.session_id, token);
  return { id: session.session_id, userId: session.user_id, signedInAt: session.created_at, refreshToken };
}

/** Ends this session, the user's others, or all of them; their refresh tokens go with them. */
export async function endSessions(pool: Pool, userId: string, sessionId: string, scope: SignOutScope): Promise<void> {
  await pool.query(
    `delete from auth.sessions
     where user_id = $1 and case $3::text when 'local' then id = $2 when 'others' then id <> $2 else true end`,
    [userId, sessionId, scope],
  );
}

async function revokeFamily(client: PoolClient, token: string): Promise<'not found' | 'already used'> {
  const { rowCount } = await client.query(
    `update auth.refresh_tokens set revoked = true, updated_at = now()
     where session_id = (select session_id from auth.refresh_tokens where token = $1)`,
    [token],
  );
  return rowCount ? 'already used' : 'not found';
}

async function issueRefreshToken(client: PoolClient, sessionId: string, parent: string | null): Promise<string> {
  const token = randomBytes(24).toString('base64url');
  await client.query('insert into auth.refresh_tokens (token, parent, session_id) values ($1, $2, $3)', [
    token,
    parent,
    sessionId,
  ]);
  return token;
}
