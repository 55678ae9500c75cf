import { randomUUID } from 'node:crypto';
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
  banned_until: Date | null;
  created_at: Date;
  updated_at: Date;
}

const columns = `users.id, aud, role, email, email_confirmed_at, last_sign_in_at, raw_app_meta_data, raw_user_meta_data,
  is_anonymous, banned_until, users.created_at, users.updated_at`;

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

/** A new user with a confirmed address, or null if the address has one. */
export async function insertUser(pool: Pool, email: string, password: string, metadata: object): Promise<UserRow | null> {
  const { rows } = await pool.query<UserRow>(
    `insert into auth.users (id, email, encrypted_password, raw_user_meta_data)
     values ($1, lower($2), extensions.crypt($3, extensions.gen_salt('bf', 10)), $4)
     on conflict (email) do nothing
     returning ${columns}`,
    [randomUUID(), email, password, JSON.stringify(metadata)],
  );
  return rows[0] ?? null;
}

/** False if it is the one that the user has. */
export async function changePassword(client: PoolClient, userId: string, password: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `update auth.users set encrypted_password = extensions.crypt($2, extensions.gen_salt('bf', 10)), updated_at = now()
     where id = $1 and encrypted_password <> extensions.crypt($2, encrypted_password)`,
    [userId, password],
  );
  return rowCount === 1;
}

/** What is null goes, what is not named stays. */
export async function mergeMetadata(client: PoolClient, userId: string, changes: object): Promise<void> {
  await client.query(
    `update auth.users set updated_at = now(), raw_user_meta_data = (
       select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(raw_user_meta_data || $2) where value <> 'null'
     ) where id = $1`,
    [userId, JSON.stringify(changes)],
  );
}

export async function userExists(pool: Pool, userId: string): Promise<boolean> {
  const { rowCount } = await pool.query('select from auth.users where id = $1', [userId]);
  return rowCount === 1;
}

export function isBanned({ banned_until }: UserRow): boolean {
  return banned_until !== null && banned_until.getTime() > Date.now();
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
    ...(row.banned_until && { banned_until: row.banned_until }),
  };
}
