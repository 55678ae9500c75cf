import { base64url, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { parseJson } from './parse-json.ts';
import { notSignedIn, refused, unavailable } from './problem.ts';
import { SigningKeysUnavailable } from './signing-keys.ts';

export interface Caller {
  /** The verified access token: the database is called with it. */
  readonly token: string;
  readonly userId: string;
  readonly tenantId: string;
}

/** Throws IN401 for a token that is not a signed-in user's, IN403 without a tenant, IN503 if no signing key can be had. */
export type Authenticate = (request: Request) => Promise<Caller>;

interface AuthenticateDependencies {
  readonly issuer: string;
  readonly signingKeys: JWTVerifyGetKey;
}

const maxTokenBytes = 8 * 1024;
const clockSkewSeconds = 60;
/** The longest life that Supabase allows; with it, `jose` also refuses an issue time that is missing or in the future. */
const maxTokenAgeSeconds = 7 * 24 * 60 * 60;
const bearer = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i;
// ASCII and lower case only: another spelling of the same uuid must not pass as the same tenant.
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function createAuthenticate({ issuer, signingKeys }: AuthenticateDependencies): Authenticate {
  return async (request) => {
    const token = readToken(request);
    const claims = await verify(token);
    return { token, userId: claims.sub, tenantId: readTenantId(claims) };
  };

  async function verify(token: string): Promise<JWTPayload & { sub: string }> {
    try {
      const { payload } = await jwtVerify(token, signingKeys, {
        algorithms: ['ES256', 'RS256'],
        issuer,
        audience: 'authenticated',
        clockTolerance: clockSkewSeconds,
        maxTokenAge: maxTokenAgeSeconds,
        requiredClaims: ['exp', 'sub'],
      });
      refuseAmbiguousJson(token);
      const { sub, role } = payload;
      if (role !== 'authenticated') throw new Error('the role is not authenticated');
      if (sub === undefined || !uuid.test(sub)) throw new Error('the subject is not a user id');
      return { ...payload, sub };
    } catch (error) {
      if (error instanceof SigningKeysUnavailable) throw unavailable(error);
      throw notSignedIn(error);
    }
  }
}

function readToken(request: Request): string {
  const header = request.headers.get('Authorization') ?? '';
  if (header.length > maxTokenBytes) throw notSignedIn('the token is too long');
  const token = bearer.exec(header)?.[1];
  if (token === undefined) throw notSignedIn('there is no bearer token');
  return token;
}

/** A claim that is there twice may be read as one tenant here and as another one in the database. */
function refuseAmbiguousJson(token: string): void {
  for (const part of token.split('.').slice(0, 2)) parseJson(base64url.decode(part));
}

/** The hook says in `tenant_refused` why a member's token names no tenant. */
function readTenantId({ tenant_id: tenantId, tenant_refused: reason }: JWTPayload): string {
  if (typeof tenantId === 'string' && uuid.test(tenantId)) return tenantId;
  throw refused(typeof reason === 'string' ? reason : undefined, {
    detail: 'The access token names no tenant: choose one with api.switch_tenant and refresh the session.',
  });
}
