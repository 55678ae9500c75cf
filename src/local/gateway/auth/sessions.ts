import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';

/** A refresh token that has been used may come again for so long, from another tab of the same browser. */
const reuseIntervalSeconds = 10;

export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly signedInAt: Date;
  readonly refreshToken: string;
}

export type Rotation = Session | 'not found' | 'already used';

export type SignOutScope = 'global' | 'local' | 'others';

interface SessionRow {
  readonly session_id: string;
  readonly user_id: string;
  readonly created_at: Date;
}

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
 * Exchanges a refresh token for the next one. One that comes again is answered with the session's current token if its answer may
 * have been lost (it is the current one's parent), or if it was used within the last seconds. Else one of its two users is an
 * impostor: every token of its session is revoked, so both must sign in again.
 */
export async function rotateRefreshToken(client: PoolClient, token: string): Promise<Rotation> {
  // Two at once take turns at this row, and the second finds it revoked.
  const { rows } = await client.query<SessionRow>(
    `update auth.refresh_tokens set revoked = true, updated_at = now()
     from auth.sessions
     where token = $1 and not revoked and sessions.id = session_id
     returning session_id, user_id, sessions.created_at`,
    [token],
  );
  const row = rows[0];
  if (!row) return (await currentSession(client, token)) ?? revokeFamily(client, token);

  await client.query('update auth.sessions set updated_at = now() where id = $1', [row.session_id]);
  return toSession(row, await issueRefreshToken(client, row.session_id, token));
}

/** The session as it stands, when a token that has been used may come again. */
async function currentSession(client: PoolClient, token: string): Promise<Session | null> {
  const { rows } = await client.query<SessionRow & { current: string }>(
    `select used.session_id, sessions.user_id, sessions.created_at, active.token as current
     from auth.refresh_tokens as used
     join auth.sessions on sessions.id = used.session_id
     join auth.refresh_tokens as active on active.session_id = used.session_id and not active.revoked
     where used.token = $1 and (active.parent = used.token or used.updated_at > now() - make_interval(secs => $2))
     order by active.id desc limit 1`,
    [token, reuseIntervalSeconds],
  );
  return rows[0] ? toSession(rows[0], rows[0].current) : null;
}

/** Ends this session, the user's others, or all of them; their refresh tokens go with them. */
export async function endSessions(client: Pool | PoolClient, userId: string, sessionId: string, scope: SignOutScope): Promise<void> {
  await client.query(
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

function toSession({ session_id, user_id, created_at }: SessionRow, refreshToken: string): Session {
  return { id: session_id, userId: user_id, signedInAt: created_at, refreshToken };
}
