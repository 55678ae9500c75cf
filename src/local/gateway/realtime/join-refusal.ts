import { decodeProtectedHeader, errors, decodeJwt } from 'jose';
import type { DatabaseError } from 'pg';

/** Why a channel is not opened, or not kept. The codes and the words are those of Supabase's Realtime: clients tell them apart by these. */
export interface JoinRefusal {
  readonly code: string;
  readonly message: string;
}

export const unauthorized = (topic: string): JoinRefusal => ({
  code: 'Unauthorized',
  message: `You do not have permissions to read from this Channel topic: ${topic}`,
});

const signature: JoinRefusal = { code: 'JwtSignatureError', message: 'Failed to validate JWT signature' };
const malformed: JoinRefusal = { code: 'MalformedJWT', message: 'The token provided is not a valid JWT' };

/** What is wrong with a token that was not verified. `keyId`: of the key that is known. */
export function tokenRefusal(token: string, error: unknown, keyId: string | undefined): JoinRefusal {
  const header = headerOf(token);
  if (header === null) return malformed;
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return header.alg?.startsWith('HS') ? signature : signerRefusal('Failed to generate JWT signer, check your JWT secret or JWKS configuration');
  }
  if (header.kid !== undefined && header.kid !== keyId) {
    const known = JSON.stringify(header.kid);
    return signerRefusal(`Failed to generate JWT signer for key ID (kid) ${known}, check your JWT secret or JWKS configuration`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return signature;
  if (error instanceof errors.JWTExpired) {
    const seconds = Math.floor(Date.now() / 1000) - Math.round(error.payload.exp ?? 0);
    return { code: 'InvalidJWTToken', message: `Token has expired ${seconds} seconds ago` };
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return malformed;
  return { code: 'InvalidJWTToken', message: 'Fields `role` and `exp` are required in JWT' };
}

/** What is said when the policies could not be asked. */
export function databaseRefusal(error: Partial<DatabaseError>, topic: string): JoinRefusal {
  switch (error.code) {
    case '57014':
      return { code: 'QueryCanceled', message: error.message ?? '' };
    case '23514':
      return { code: 'MissingPartition', message: 'Realtime was unable to find the expected messages partition' };
    case '53300':
      return { code: 'DatabaseLackOfConnections', message: "Database can't accept more connections, Realtime won't connect" };
    default:
  }
  if (error.message?.startsWith('timeout exceeded')) return { code: 'IncreaseConnectionPool', message: 'Please increase your connection pool size' };
  // If the server has answered, it was the policy that failed; and Realtime does not tell that from a policy that says no.
  const answered = /^[0-9A-Z]{5}$/.test(error.code ?? '') && !error.code?.startsWith('57P') && !error.code?.startsWith('08');
  if (answered) return unauthorized(topic);
  return { code: 'UnableToConnectToProject', message: 'Realtime was unable to connect to the project database' };
}

function signerRefusal(message: string): JoinRefusal {
  return { code: 'JwtSignerError', message };
}

function headerOf(token: string): { readonly alg?: string; readonly kid?: unknown } | null {
  try {
    decodeJwt(token);
    return decodeProtectedHeader(token);
  } catch {
    return null;
  }
}
