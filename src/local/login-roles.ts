import pg from 'pg';
import type { Client } from 'pg';
import { scramVerifier } from './scram-verifier.ts';

/** Every role that logs in by password: Supabase's that our local parts use, and ours. */
export const loginRoles = [
  'authenticator',
  'supabase_auth_admin',
  'supabase_realtime_admin',
  'intent_pump',
  'intent_worker',
  'intent_operator',
] as const;

export type LoginRole = (typeof loginRoles)[number];

/** Those of the login roles that the server has. Roles belong to the server, not to one database. */
export async function existingLoginRoles(client: Client): Promise<Set<LoginRole>> {
  const { rows } = await client.query<{ name: LoginRole }>('select rolname as name from pg_roles where rolname = any ($1)', [
    loginRoles,
  ]);
  return new Set(rows.map((row) => row.name));
}

/** The server gets a verifier, so that its log of statements, on Supabase on by default, does not hold the password. */
export async function setPassword(client: Client, role: LoginRole, password: string): Promise<void> {
  await client.query(`alter role ${pg.escapeIdentifier(role)} password ${pg.escapeLiteral(scramVerifier(password))}`);
}
