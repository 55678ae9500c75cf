import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import pg from 'pg';
import { createTestDatabase } from '../../../testing/database.ts';
import { type RealtimeHabits, startGateway } from '../gateway.ts';
import { createUser } from '../seed-user.ts';
import { createTokens, importSigningKeys } from '../tokens.ts';
import type { Tokens } from '../tokens.ts';

export const publishableKey = 'sb_publishable_of_a_test';
export const password = 'correct horse battery staple';

export interface TestGateway {
  readonly url: string;
  readonly authDatabaseUrl: string;
  readonly realtimeDatabaseUrl: string;
  /** A superuser's address of the database. */
  readonly adminUrl: string;
  /** A superuser's connection. */
  readonly admin: pg.Client;
  /** Signs and verifies as the gateway does. */
  readonly tokens: Tokens;
  readonly log: readonly string[];
  /** A new client, signed out. */
  client(options?: { vsn?: '1.0.0' | '2.0.0' }): SupabaseClient;
  /** A new user, with a client that is signed in. */
  signUp(name: string): Promise<{ userId: string; email: string; client: SupabaseClient }>;
  readonly signingKey: JWK;
  /** As RunningGateway's; `tokens` follow. */
  rotateKeys(signingKey: JWK, alsoTrusted: readonly JWK[]): Promise<void>;
  /** Stops the gateway alone. */
  stopGateway(): Promise<void>;
  stop(): Promise<void>;
}

interface UpstreamNeeds {
  readonly admin: pg.Client;
  readonly jwks: Tokens['jwks'];
  readonly authenticatorUrl: string;
}

interface Upstreams {
  readonly postgrestUrl?: string;
  readonly functionUrl?: string;
}

export async function newSigningKey(kid = 'key-of-a-test') {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'ES256', kid };
}

/** The gateway on a database of its own. `startUpstreams` starts what requests are handed to, if a test needs it. */
export async function startTestGateway(
  startUpstreams: (needs: UpstreamNeeds) => Promise<Upstreams> = async () => ({}),
  realtime: RealtimeHabits = {},
): Promise<TestGateway> {
  const database = await createTestDatabase();
  const admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  const signingKey = await newSigningKey();
  const keys = await importSigningKeys(signingKey);
  const upstreams = await startUpstreams({
    admin,
    jwks: { keys: [keys.publicJwk] },
    authenticatorUrl: database.urlFor('authenticator'),
  });
  const log: string[] = [];
  const gateway = await startGateway({
    port: 0,
    authDatabaseUrl: database.urlFor('supabase_auth_admin'),
    realtimeDatabaseUrl: database.urlFor('supabase_realtime_admin'),
    signingKey,
    publishableKey,
    postgrestUrl: 'http://127.0.0.1:1',
    functionUrl: 'http://127.0.0.1:1',
    allowedOrigins: ['http://localhost:3000'],
    realtime,
    log: (line) => log.push(line),
    ...upstreams,
  });
  const tokens = createTokens(keys, `${gateway.url}/auth/v1`);
  const clients: SupabaseClient[] = [];

  function client({ vsn = '2.0.0' }: { vsn?: '1.0.0' | '2.0.0' } = {}): SupabaseClient {
    const made = createClient(gateway.url, publishableKey, {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { vsn },
    });
    clients.push(made);
    return made;
  }

  return {
    url: gateway.url,
    authDatabaseUrl: database.urlFor('supabase_auth_admin'),
    realtimeDatabaseUrl: database.urlFor('supabase_realtime_admin'),
    adminUrl: database.adminUrl,
    admin,
    tokens,
    signingKey,
    async rotateKeys(signing, alsoTrusted) {
      await gateway.rotateKeys(signing, alsoTrusted);
      tokens.useKeys(await importSigningKeys(signing), alsoTrusted);
    },
    log,
    client,
    async signUp(name) {
      const email = `${name}@gateway.example`;
      const userId = await createUser(admin, { email, password });
      const signedIn = client();
      const { error } = await signedIn.auth.signInWithPassword({ email, password });
      if (error) throw error;
      return { userId, email, client: signedIn };
    },
    stopGateway: gateway.stop,
    async stop() {
      await Promise.all(clients.map((each) => each.realtime.disconnect()));
      await gateway.stop();
      await admin.end();
      await database.drop();
    },
  };
}
