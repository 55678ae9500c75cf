import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';

export interface NewUser {
  readonly email: string;
  readonly password: string;
  /** (Default: a random one.) */
  readonly userId?: string;
}

/**
 * Makes sure that a user with this address can sign in with this password, and returns its id. Safe to repeat: a user who is
 * there keeps the id and gets the password.
 */
export async function createUser(client: ClientBase, { email, password, userId = randomUUID() }: NewUser): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into auth.users (id, email, encrypted_password)
     values ($1, lower($2), extensions.crypt($3, extensions.gen_salt('bf', 10)))
     on conflict (email) do update set encrypted_password = excluded.encrypted_password, updated_at = now()
     returning id`,
    [userId, email, password],
  );
  return rows[0]!.id;
}
