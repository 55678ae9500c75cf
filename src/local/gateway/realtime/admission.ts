import type { DatabaseError, Pool, PoolClient } from 'pg';
import type { Claims, Tokens } from '../tokens.ts';
import { inRolledBackTransaction } from '../transaction.ts';

export type Admission =
  | {
      readonly admitted: true;
      /** In seconds since 1970; null: never. */
      readonly expiresAt: number | null;
      readonly seesPresence: boolean;
      /** Whether the client may be seen. Asked when it first wants to be. */
      mayBePresent(): Promise<boolean>;
    }
  | { readonly admitted: false; readonly reason: string };

export type Admit = (topic: string, token: string | null) => Promise<Admission>;

type Asker = Claims | { readonly role: 'anon' };

const insufficientPrivilege = '42501';

export interface AdmissionOptions {
  readonly pool: Pool;
  readonly tokens: Tokens;
  readonly publishableKey: string;
  readonly log: (line: string) => void;
}

/**
 * Decides who may listen to a topic, see who is there and be seen, as Supabase's Realtime does: by the policies on
 * realtime.messages, asked as the user. What is asked with is rolled back, so that nothing reaches the WAL's readers.
 */
export function createAdmission({ pool, tokens, publishableKey, log }: AdmissionOptions): Admit {
  return async (topic, token) => {
    const claims = await readClaims(token);
    if (claims instanceof Error) return { admitted: false, reason: `InvalidJWTToken: ${claims.message}` };
    // Realtime gives a fault in the policies, a lock or a function that is being replaced, the words of a refusal.
    const readable = await readableExtensions(pool, topic, claims).catch((error: Error) => {
      log(`realtime: the policies on ${topic} cannot be asked: ${error.message}`);
      return new Set();
    });
    if (readable.has('broadcast')) {
      return {
        admitted: true,
        expiresAt: 'exp' in claims ? claims.exp : null,
        seesPresence: readable.has('presence'),
        mayBePresent: () => mayBePresent(pool, topic, claims),
      };
    }
    return { admitted: false, reason: `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}` };
  };

  /** Without a token, or with the key in its place, a client is anonymous. */
  async function readClaims(token: string | null): Promise<Asker | Error> {
    if (token === null || token === publishableKey) return { role: 'anon' };
    return tokens.verify(token).catch((error: Error) => error);
  }
}

/** A row of the topic for each extension is put there and looked for as the user. */
function readableExtensions(pool: Pool, topic: string, claims: Asker): Promise<ReadonlySet<string>> {
  return inRolledBackTransaction(pool, async (client) => {
    const probes = await client.query<{ id: string }>(
      `insert into realtime.messages (topic, extension, event, private)
       select $1, extension, 'probe', true from unnest(array['broadcast', 'presence']) as extension returning id`,
      [topic],
    );
    await becomeUser(client, topic, claims);
    const found = await client.query<{ extension: string }>('select extension from realtime.messages where id = any ($1)', [
      probes.rows.map(({ id }) => id),
    ]);
    return new Set(found.rows.map(({ extension }) => extension));
  });
}

function mayBePresent(pool: Pool, topic: string, claims: Asker): Promise<boolean> {
  return inRolledBackTransaction(pool, async (client) => {
    await becomeUser(client, topic, claims);
    const insert = client.query(`insert into realtime.messages (topic, extension, private) values ($1, 'presence', true)`, [topic]);
    return insert.then(
      () => true,
      (error: DatabaseError) => {
        if (error.code === insufficientPrivilege) return false;
        throw error;
      },
    );
  });
}

async function becomeUser(client: PoolClient, topic: string, claims: Asker): Promise<void> {
  await client.query(
    `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true), set_config('realtime.topic', $3, true)`,
    [claims.role, JSON.stringify(claims), topic],
  );
}
