import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Claims, Tokens } from '../tokens.ts';
import { createIssueAccessToken } from './access-tokens.ts';
import { createAccountRoutes } from './account-routes.ts';
import { createAddressLimit } from './address-limit.ts';
import { AuthError, knowsNewerErrors, newerErrorsSince } from './auth-error.ts';
import { readBody } from './read-body.ts';
import { endSessions } from './sessions.ts';
import { createSignIn, passwordGrantSchema, refreshGrantSchema } from './sign-in.ts';
import { findUserOfSession, isBanned, presentUser, userExists, type UserRow } from './users.ts';

type AuthContext = Context<{ Bindings: HttpBindings }>;

const versionHeader = 'X-Supabase-Api-Version';
const scopeSchema = z.enum(['global', 'local', 'others']).default('global');

export interface AuthOptions {
  readonly pool: Pool;
  readonly tokens: Tokens;
  readonly apiKey: MiddlewareHandler;
  /** Whether sign-ins and refreshes are limited for each address, as on Supabase. */
  readonly limitAddresses: boolean;
  readonly log: (line: string) => void;
}

/** What `supabase.auth` of supabase-js asks for password sign-in: token, user, sign-up, logout, and the public key. */
export function createAuthRoutes({ pool, tokens, apiKey, limitAddresses, log }: AuthOptions): Hono<{ Bindings: HttpBindings }> {
  const signIn = createSignIn(pool, createIssueAccessToken(tokens));
  const admitAddress = limitAddresses ? createAddressLimit() : () => true;
  const routes = new Hono<{ Bindings: HttpBindings }>();

  // For verifiers, who need no key of the project: above the line that asks for one.
  routes.get('/.well-known/jwks.json', (context) => context.json(tokens.jwks));
  routes.use(apiKey);

  routes.post('/token', async (context) => {
    const grant = context.req.query('grant_type');
    if (grant !== 'password' && grant !== 'refresh_token') throw new AuthError(400, 'invalid_credentials', 'unsupported_grant_type');
    const address = addressOf(context);
    // There, too, nobody is told when to come again.
    if (!admitAddress(address)) throw new AuthError(429, 'over_request_rate_limit', 'Request rate limit reached');
    return context.json(
      grant === 'password'
        ? await signIn.byPassword(await readBody(context, passwordGrantSchema), address)
        : await signIn.byRefreshToken(await readBody(context, refreshGrantSchema), address),
    );
  });

  routes.get('/user', async (context) => context.json(presentUser((await authenticate(context)).user)));

  routes.post('/logout', async (context) => {
    const { claims } = await authenticate(context);
    const scope = scopeSchema.safeParse(context.req.query('scope') || undefined);
    if (!scope.success) throw new AuthError(400, 'validation_failed', 'Unsupported logout scope');
    await endSessions(pool, claims.sub, claims.session_id, scope.data);
    return context.body(null, 204);
  });

  routes.route('/', createAccountRoutes({ pool, signIn, authenticate, addressOf }));

  routes.onError((error, context) => {
    const refusal = error instanceof AuthError ? error : new AuthError(500, 'unexpected_failure', 'Unexpected failure');
    if (refusal !== error) log(`auth: ${error.message}`);
    const version = context.req.header(versionHeader);
    if (knowsNewerErrors(version)) context.header(versionHeader, newerErrorsSince);
    context.header('X-Sb-Error-Code', refusal.code);
    return context.json(refusal.present(version), refusal.status);
  });

  return routes;

  async function authenticate(context: Context): Promise<{ claims: Claims; user: UserRow }> {
    const [scheme, token] = (context.req.header('authorization') ?? '').split(' ');
    if (scheme?.toLowerCase() !== 'bearer' || !token) {
      throw new AuthError(401, 'no_authorization', 'This endpoint requires a valid Bearer token');
    }
    const claims = await tokens.verify(token).catch(() => {
      throw new AuthError(403, 'bad_jwt', 'invalid JWT: unable to parse or verify signature, or expired');
    });
    const user = await findUserOfSession(pool, claims.sub, claims.session_id);
    if (!user) {
      throw (await userExists(pool, claims.sub))
        ? new AuthError(403, 'session_not_found', 'Session from session_id claim in JWT does not exist')
        : new AuthError(403, 'user_not_found', 'User from sub claim in JWT does not exist');
    }
    if (isBanned(user)) throw new AuthError(403, 'user_banned', 'User is banned');
    return { claims, user };
  }
}

function addressOf(context: AuthContext): string {
  return context.env.incoming.socket.remoteAddress ?? '';
}
