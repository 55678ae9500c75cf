import pg from 'pg';
import { startGateway } from '../local/gateway/gateway.ts';
import { newSigningKey, publishableKey } from '../local/gateway/testing/test-gateway.ts';
import { createTokens, importSigningKeys, type Tokens } from '../local/gateway/tokens.ts';
import { startPostgrest } from '../local/postgrest.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { createScratchDirectory } from './scratch-directory.ts';
import { chooseTestPort } from './test-port.ts';

export interface RestartableGateway {
  readonly url: string;
  readonly tokens: Tokens;
  readonly admin: pg.Pool;
  readonly database: TestDatabase;
  /** Stops it, with every connection, and starts it at the same address. `meanwhile` is done in between. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** The gateway over the real PostgREST, on a database of its own. */
export async function startRestartableGateway(): Promise<RestartableGateway> {
  const scratch = await createScratchDirectory();
  const database = await createTestDatabase();
  const admin = new pg.Pool({ connectionString: database.adminUrl });
  // A restore ends sessions; a pool without a listener would throw what an idle one hears then.
  admin.on('error', () => {});
  const signingKey = await newSigningKey();
  const keys = await importSigningKeys(signingKey);
  const port = await chooseTestPort();
  const postgrest = await startPostgrest({
    home: scratch.path,
    databaseUrl: database.urlFor('authenticator'),
    jwks: { keys: [keys.publicJwk] },
    port: await chooseTestPort(),
    adminPort: await chooseTestPort(),
  });
  const start = () =>
    startGateway({
      port,
      authDatabaseUrl: database.urlFor('supabase_auth_admin'),
      realtimeDatabaseUrl: database.urlFor('supabase_realtime_admin'),
      signingKey,
      publishableKey,
      postgrestUrl: postgrest.url,
      functionUrl: 'http://127.0.0.1:1',
      allowedOrigins: [],
      log: () => {},
    });
  let gateway = await start();

  return {
    url: gateway.url,
    tokens: createTokens(keys, `${gateway.url}/auth/v1`),
    admin,
    database,
    async restart(meanwhile) {
      await gateway.stop();
      await meanwhile?.();
      gateway = await start();
    },
    async stop() {
      await gateway.stop();
      await postgrest.stop();
      await admin.end();
      await database.drop();
      scratch.remove();
    },
  };
}
