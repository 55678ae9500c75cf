import { Hono } from 'hono';
import type { Context, MiddlewareHandler } from 'hono';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Claims, Tokens } from '../tokens.ts';
import { inTransaction } from '../transaction.ts';
import { AuthError } from './auth-error.ts';
import { createCap } from './cap.ts';
import { accessTokenSeconds, issueAccessToken } from './access-tokens.ts';
import type { AccessToken } from './access-tokens.ts';
import { endSessions, rotateRefreshToken, startSession } from './sessions.ts';
import { createSignInThrottle } from './sign-in-throttle.ts';
import { findUserByPassword, findUserOfSession, presentUser } from './users.ts';
import type { UserRow } from './users.ts';

/** Checking a password is slow on purpose, and all wait for the same few connections. */
const maxPasswordChecks = 20;

/** PostgreSQL's text holds no U+0000. */
const text = (maxLength: number) => z.string().min(1).max(maxLength).regex(/^[^\0]*$/);
const passwordGrantSchema = z.object({ email: text(320), password: text(72) });
const refreshGrantSchema = z.object({ refresh_token: text(256) });
const scopeSchema = z.enum(['global', 'local', 'others']).default('global');

export interface AuthOptions {
  readonly pool: Pool;
  readonly tokens: Tokens;
  readonly apiKey: MiddlewareHandler;
  readonly log: (line: string) => void;
}

/** What `supabase.auth` of supabase-js asks for password sign-in: token, user, logout, and the public key. */
export function createAuthRoutes({ pool, tokens, apiKey, log }: AuthOptions): Hono {
  const throttle = createSignInThrottle();
  const checkPassword = createCap(maxPasswordChecks);
  const routes = new Hono();

  // For verifiers, who need no key of the project: above the line that asks for one.
  routes.get('/.well-known/jwks.json', (context) => context.json(tokens.jwks));
  routes.use(apiKey);

  routes.post('/token', async (context) => {
    switch (context.req.query('grant_type')) {
      case 'password':
        return context.json(await signIn(await readBody(context, passwordGrantSchema)));
      case 'refresh_token':
        return context.json(await refresh(await readBody(context, refreshGrantSchema)));
      default:
        throw new AuthError(400, 'invalid_credentials', 'unsupported_grant_type');
    }
  });

  routes.get('/user', async (context) => {
    const claims = await authenticate(context);
    const user = await findUserOfSession(pool, claims.sub, claims.session_id);
    if (!user) throw new AuthError(403, 'session_not_found', 'Session from session_id claim in JWT does not exist');
    return context.json(presentUser(user));
  });

  routes.post('/logout', async (context) => {
    const claims = await authenticate(context);
    const scope = scopeSchema.safeParse(context.req.query('scope'));
    if (!scope.success) throw new AuthError(400, 'validation_failed', 'Unsupported logout scope');
    await endSessions(pool, claims.sub, claims.session_id, scope.data);
    return context.body(null, 204);
  });

  routes.onError((error, context) => {
    if (error instanceof AuthError) return context.json(error.toJSON(), error.status);
    log(`auth: ${error.message}`);
    return context.json(new AuthError(500, 'unexpected_failure', 'Unexpected failure').toJSON(), 500);
  });

  async function signIn({ email, password }: z.infer<typeof passwordGrantSchema>) {
    const user = throttle.admit(email) ? await checkPassword(() => findUserByPassword(pool, email, password)) : 'busy';
    if (user === 'busy') throw new AuthError(429, 'over_request_rate_limit', 'Request rate limit reached');
    if (!user) throw new AuthError(400, 'invalid_credentials', 'Invalid login credentials');
    throttle.clear(email);
    return inTransaction(pool, async (client) => {
      const session = await startSession(client, user.id);
      return presentSession(await issueAccessToken(client, tokens, user, session, 'password'), session.refreshToken, user);
    });
  }

  async function refresh({ refresh_token }: z.infer<typeof refreshGrantSchema>) {
    const result = await inTransaction(pool, async (client) => {
      const session = await rotateRefreshToken(client, refresh_token);
      if (typeof session === 'string') return session;
      const user = await findUserOfSession(client, session.userId, session.id);
      if (!user) return 'not found';
      return presentSession(await issueAccessToken(client, tokens, user, session, 'token_refresh'), session.refreshToken, user);
    });
    // Thrown outside of the transaction, which has just revoked what was used twice.
    if (result === 'already used') throw new AuthError(400, 'refresh_token_already_used', 'Invalid Refresh Token: Already Used');
    if (result === 'not found') {
      throw new AuthError(400, 'refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found');
    }
    return result;
  }

  async function authenticate(context: Context): Promise<Claims> {
    const [scheme, token] = (context.req.header('authorization') ?? '').split(' ');
    if (scheme?.toLowerCase() !== 'bearer' || !token) {
      throw new AuthError(401, 'no_authorization', 'This endpoint requires a valid Bearer token');
    }
    return tokens.verify(token).catch(() => {
      throw new AuthError(403, 'bad_jwt', 'invalid JWT: unable to parse or verify signature, or expired');
    });
  }

  return routes;
}

async function readBody<Body>(context: Context, schema: z.ZodType<Body>): Promise<Body> {
  const json: unknown = await context.req.json().catch(() => {
    throw new AuthError(400, 'bad_json', 'Could not parse request body as JSON');
  });
  const body = schema.safeParse(json);
  if (!body.success) throw new AuthError(400, 'validation_failed', z.prettifyError(body.error));
  return body.data;
}

function presentSession({ accessToken, expiresAt }: AccessToken, refreshToken: string, user: UserRow) {
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: accessTokenSeconds,
    expires_at: expiresAt,
    refresh_token: refreshToken,
    user: presentUser(user),
  };
}
