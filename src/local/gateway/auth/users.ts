import type { Pool, PoolClient } from 'pg';

/** The rows are read by the gateway's own statements, as Supabase Auth has its own: they are no part of our SQL interface. */
export interface UserRow {
  id: string;
  aud: string;
  role: string;
  email: string;
  email_confirmed_at: Date | null;
  last_sign_in_at: Date | null;
  raw_app_meta_data: Record<string, unknown>;
  raw_user_meta_data: Record<string, unknown>;
  is_anonymous: boolean;
  created_at: Date;
  updated_at: Date;
}

const columns = `users.id, aud, role, email, email_confirmed_at, last_sign_in_at, raw_app_meta_data, raw_user_meta_data,
  is_anonymous, users.created_at, users.updated_at`;

/**
 * The user with this password, or null. An unknown address costs as much time as a wrong password, so that nobody can find out by
 * the clock who has an account.
 */
export async function findUserByPassword(pool: Pool, email: string, password: string): Promise<UserRow | null> {
  const { rows } = await pool.query<UserRow & { matches: boolean }>(
    `select ${columns},
       encrypted_password = extensions.crypt($2, coalesce(encrypted_password, extensions.gen_salt('bf', 10))) as matches
     from (select lower($1::text) as wanted) as attempt
     left join auth.users on email = wanted`,
    [email, password],
  );
  const row = rows[0];
  return row?.matches ? row : null;
}

/** The user of a session that has not ended, or null. */
export async function findUserOfSession(client: Pool | PoolClient, userId: string, sessionId: string): Promise<UserRow | null> {
  const { rows } = await client.query<UserRow>(
    `select ${columns} from auth.users join auth.sessions on user_id = users.id where users.id = $1 and sessions.id = $2`,
    [userId, sessionId],
  );
  return rows[0] ?? null;
}

/** The user as Supabase Auth answers it. */
export function presentUser(row: UserRow) {
  return {
    id: row.id,
    aud: row.aud,
    role: row.role,
    email: row.email,
    email_confirmed_at: row.email_confirmed_at,
    confirmed_at: row.email_confirmed_at,
    last_sign_in_at: row.last_sign_in_at,
    phone: '',
    app_metadata: row.raw_app_meta_data,
    user_metadata: row.raw_user_meta_data,
    identities: [],
    is_anonymous: row.is_anonymous,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}
