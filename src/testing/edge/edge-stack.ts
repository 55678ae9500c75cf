import { randomUUID } from 'node:crypto';
import { ReadableStream } from 'node:stream/web';
import pg from 'pg';
import { expect } from 'vitest';
import { cacheDirectory } from '../../local/cache-directory.ts';
import { type EdgeFunctionOptions, type RunningEdgeFunction, startEdgeFunction } from '../../local/edge-function.ts';
import { startPostgrest } from '../../local/postgrest.ts';
import { countRows } from '../count-rows.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { createScratchDirectory } from '../scratch-directory.ts';
import { chooseTestPort } from '../test-port.ts';
import { startSupabaseUpstream, type SupabaseUpstream } from './supabase-upstream.ts';
import { createTokenIssuer, type TokenIssuer } from './token-issuer.ts';

export const allowedOrigin = 'https://app.example';

/** Text, bytes and streams are sent as they are, other things as JSON. */
export type Body = string | Uint8Array | ReadableStream | object;

export interface EdgeStack {
  readonly url: string;
  readonly postgrestUrl: string;
  readonly upstream: SupabaseUpstream;
  readonly issuer: TokenIssuer;
  readonly testDatabase: TestDatabase;
  /** As superuser. */
  readonly database: pg.Pool;
  readonly tenantId: string;
  /** An owner of the tenant. */
  readonly userId: string;
  /** A member of the tenant, who is no owner. */
  readonly memberId: string;
  /** A tenant of which the user is no member. */
  readonly otherTenantId: string;
  /** The claims of the owner's token, as the access-token hook makes them. */
  claims(): Record<string, unknown>;
  /** Sends a command as the owner, unless the headers say otherwise. */
  post(body: Body, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The same, to another instance of the function. */
  postTo(url: string, body: Body, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Another instance of the function, for the caller to stop. `homePath`: a scratch directory of its own. */
  startInstance(homePath: string): Promise<RunningEdgeFunction>;
  /** Runs what must be refused, and throws if it left a row. */
  withoutRow<Result>(attack: () => Promise<Result>): Promise<Result>;
  stop(): Promise<void>;
}

/** The Edge Function under the real Deno, over the real PostgREST and a real, migrated database. `otel`: where its spans go, if anywhere. */
export async function startEdgeStack({ otel = {} }: Pick<EdgeFunctionOptions, 'otel'> = {}): Promise<EdgeStack> {
  const stack = new AsyncDisposableStack();
  try {
    const home = await createScratchDirectory();
    stack.defer(home.remove);
    const testDatabase = await createTestDatabase();
    stack.defer(testDatabase.drop);
    const database = new pg.Pool({ connectionString: testDatabase.adminUrl });
    stack.defer(() => database.end());
    const seed = await seedTenants(database);
    const { tenantId, userId } = seed;

    const issuer = await createTokenIssuer();
    const postgrest = await startPostgrest({
      home: home.path,
      databaseUrl: testDatabase.urlFor('authenticator'),
      jwks: issuer.jwks,
      port: await chooseTestPort(),
      adminPort: await chooseTestPort(),
    });
    stack.defer(postgrest.stop);
    const upstream = await startSupabaseUpstream();
    stack.defer(upstream.stop);
    upstream.serveKeys(issuer.jwks);
    upstream.serveRest(postgrest.url);
    const startInstance = async (homePath: string) =>
      startEdgeFunction({
        home: homePath,
        port: await chooseTestPort(),
        supabaseUrl: upstream.url,
        publishableKey: 'sb_publishable_test',
        allowedOrigins: [allowedOrigin],
        cacheDirectory: cacheDirectory(),
        otel,
        log: () => {},
      });
    const edgeFunction = await startInstance(home.path);
    stack.defer(edgeFunction.stop);

    const claims = () => ({
      iss: `${upstream.url}/auth/v1`,
      sub: userId,
      aud: 'authenticated',
      role: 'authenticated',
      iat: nowSeconds(),
      exp: nowSeconds() + 600,
      session_id: randomUUID(),
      tenant_id: tenantId,
      tenant_role: 'owner',
    });
    const postTo: EdgeStack['postTo'] = async (url, body, headers) =>
      fetch(url, {
        method: 'POST',
        headers: { Authorization: `Bearer ${await issuer.sign(claims())}`, 'Content-Type': 'application/json', ...headers },
        ...bodyInit(body),
      });
    return {
      url: edgeFunction.url,
      postgrestUrl: postgrest.url,
      upstream,
      issuer,
      testDatabase,
      database,
      ...seed,
      claims,
      post: (body, headers) => postTo(edgeFunction.url, body, headers),
      postTo,
      startInstance,
      async withoutRow(attack) {
        const before = await countRows(database);
        const result = await attack();
        expect(await countRows(database), 'rows, after what was refused').toEqual(before);
        return result;
      },
      stop: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** A command that is accepted as it is. */
export function openBudget() {
  return {
    commandId: randomUUID(),
    type: 'OpenBudget',
    aggregateId: `budget-${randomUUID()}`,
    payload: { name: 'Groceries', limit: 50_000 },
  };
}

function bodyInit(body: Body): RequestInit {
  // The DOM's types know neither Node's streams nor the mode in which they are sent.
  if (body instanceof ReadableStream) return { body, duplex: 'half' } as unknown as RequestInit;
  return { body: typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body) };
}

async function seedTenants(database: pg.Pool) {
  const [tenantId, otherTenantId, userId, memberId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  await database.query(`select intent.create_tenant($1, 'Rose'), intent.create_tenant($2, 'Thorn')`, [tenantId, otherTenantId]);
  const addMembers = `select intent.add_member($1, $2, 'owner'), intent.add_member($1, $3, 'member')`;
  await database.query(addMembers, [tenantId, userId, memberId]);
  return { tenantId, otherTenantId, userId, memberId };
}
