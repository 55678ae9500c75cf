import type { DatabaseError, Pool, PoolClient } from 'pg';
import type { Claims, Tokens } from '../tokens.ts';
import { inRolledBackTransaction } from '../transaction.ts';
import { databaseRefusal, type JoinRefusal, tokenRefusal, unauthorized } from './join-refusal.ts';

export type Admission =
  | {
      readonly admitted: true;
      /** In seconds since 1970; null: never. */
      readonly expiresAt: number | null;
      readonly hearsBroadcasts: boolean;
      readonly seesPresence: boolean;
      /** Whether the client may be seen. Asked when it first wants to be. */
      mayBePresent(): Promise<boolean>;
    }
  | { readonly admitted: false; readonly refusal: JoinRefusal };

export interface Admissions {
  admit(topic: string, token: string | null): Promise<Admission>;
  /** Whether the owner of this token may send to the topic. False for a token that is none, too. */
  maySend(topic: string, token: string | null): Promise<boolean>;
  /** Whether this is a token or a key. */
  knows(token: string | null): Promise<boolean>;
}

type Asker = Claims | { readonly role: 'anon' };
type Extension = 'broadcast' | 'presence';

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
export function createAdmissions({ pool, tokens, publishableKey, log }: AdmissionOptions): Admissions {
  return {
    async admit(topic, token) {
      const { asker, refusal } = await readClaims(token);
      if (refusal) return { admitted: false, refusal };
      const readable = await readableExtensions(pool, topic, asker).catch((error: DatabaseError) => {
        log(`realtime: the policies on ${topic} cannot be asked: ${error.message}`);
        return databaseRefusal(error, topic);
      });
      if (!(readable instanceof Set)) return { admitted: false, refusal: readable };
      if (readable.size === 0) return { admitted: false, refusal: unauthorized(topic) };
      return {
        admitted: true,
        expiresAt: 'exp' in asker ? asker.exp : null,
        hearsBroadcasts: readable.has('broadcast'),
        seesPresence: readable.has('presence'),
        mayBePresent: () => mayInsert(pool, topic, asker, 'presence'),
      };
    },

    async maySend(topic, token) {
      const { asker } = await readClaims(token);
      return asker !== undefined && mayInsert(pool, topic, asker, 'broadcast');
    },

    knows: async (token) => (await readClaims(token)).asker !== undefined,
  };

  /** Without a token, or with a key in its place, a client is anonymous. */
  async function readClaims(token: string | null): Promise<{ asker: Asker; refusal?: never } | { asker?: never; refusal: JoinRefusal }> {
    if (token === null || token === publishableKey || token.startsWith('sb_')) return { asker: { role: 'anon' } };
    return tokens.verify(token).then(
      (asker) => ({ asker }),
      (error: unknown) => ({ refusal: tokenRefusal(token, error, tokens.jwks.keys[0]?.kid) }),
    );
  }
}

/** A row of the topic for each extension is put there and looked for as the user. */
function readableExtensions(pool: Pool, topic: string, claims: Asker): Promise<Set<string>> {
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

function mayInsert(pool: Pool, topic: string, claims: Asker, extension: Extension): Promise<boolean> {
  return inRolledBackTransaction(pool, async (client) => {
    await becomeUser(client, topic, claims);
    const insert = client.query('insert into realtime.messages (topic, extension, private) values ($1, $2, true)', [topic, extension]);
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
