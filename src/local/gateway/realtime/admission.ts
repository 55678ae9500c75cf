import type { Pool } from 'pg';
import type { Claims, Tokens } from '../tokens.ts';
import { inRolledBackTransaction } from '../transaction.ts';

export type Admission =
  /** `expiresAt` in seconds since 1970; null: never. */
  { readonly admitted: true; readonly expiresAt: number | null } | { readonly admitted: false; readonly reason: string };

export type Admit = (topic: string, token: string | null) => Promise<Admission>;

export interface AdmissionOptions {
  readonly pool: Pool;
  readonly tokens: Tokens;
  readonly publishableKey: string;
}

/**
 * Decides who may listen to a topic, as Supabase's Realtime does: by the SELECT policies on realtime.messages, asked as the user.
 */
export function createAdmission({ pool, tokens, publishableKey }: AdmissionOptions): Admit {
  return async (topic, token) => {
    const claims = await readClaims(token);
    if (claims instanceof Error) return { admitted: false, reason: `InvalidJWTToken: ${claims.message}` };
    if (await mayRead(pool, topic, claims)) return { admitted: true, expiresAt: 'exp' in claims ? claims.exp : null };
    return { admitted: false, reason: `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}` };
  };

  /** Without a token, or with the key in its place, a client is anonymous. */
  async function readClaims(token: string | null): Promise<Claims | { role: 'anon' } | Error> {
    if (token === null || token === publishableKey) return { role: 'anon' };
    return tokens.verify(token).catch((error: Error) => error);
  }
}

/** A row of the topic is put there and looked for as the user. It is rolled back, so that nothing reaches the WAL's readers. */
function mayRead(pool: Pool, topic: string, claims: Claims | { role: 'anon' }): Promise<boolean> {
  return inRolledBackTransaction(pool, async (client) => {
    const probe = await client.query<{ id: string }>(
      `insert into realtime.messages (topic, extension, event, private) values ($1, 'broadcast', 'probe', true) returning id`,
      [topic],
    );
    await client.query(
      `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true), set_config('realtime.topic', $3, true)`,
      [claims.role, JSON.stringify(claims), topic],
    );
    const found = await client.query('select from realtime.messages where id = $1', [probe.rows[0]!.id]);
    return found.rowCount === 1;
  });
}
