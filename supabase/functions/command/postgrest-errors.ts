import { beingDeployed, malformed, notSignedIn, Problem, refused, unavailable } from './problem.ts';

/** What PostgREST answers for a failed call; `code` is the SQLSTATE, or PostgREST's own beginning with PGRST. */
interface PostgrestError {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
}

const defaultRetryAfterSeconds = 1;

/**
 * No such function, table, column, schema or type, or none that may be used: the database is older or newer than this function, or is
 * being migrated. PGRST202 and PGRST203: PostgREST knows no such function, or two. Who may not submit is told so by IN403, since a token
 * that comes this far has the role that may.
 */
const unfitCodes = new Set(['42883', '42P01', '42703', '3F000', '42704', '42501', 'PGRST202', 'PGRST203']);

/** Only messages that our own SQL raised are shown to the caller; of others, the log tells. */
export function problemOfPostgrest(body: unknown): Problem {
  if (!isPostgrestError(body)) return unavailable('the answer is not one of PostgREST');
  const { code, message, details } = body;
  // Not the whole body: its details may quote a row.
  const cause = `${code}: ${message}`;
  switch (code) {
    case 'IN403':
      return refused(reasonOf(details), { detail: message, cause });
    case 'IN409':
    case 'IN422':
      return new Problem(code, message, { cause });
    case 'IN429':
      return new Problem(code, message, { headers: { 'Retry-After': String(retryAfterSeconds(details)) }, cause });
    case 'IN401':
    case '28000':
    case 'PGRST301':
    case 'PGRST302':
    case 'PGRST303':
      return notSignedIn(cause);
    default:
      if (unfitCodes.has(code)) return beingDeployed(cause);
      // Class 22: a value that a type of PostgreSQL refuses, such as a date in the year 0.
      return code.startsWith('22') ? malformed([{ path: '', message: 'a value is out of range' }]) : unavailable(cause);
  }
}

/** From DETAIL, `{ "reason": … }`: only a word, whatever it says. */
function reasonOf(details: unknown): string | undefined {
  return /^\{"reason": ?"(\w{1,40})"\}$/.exec(String(details))?.[1];
}

/** From DETAIL, `{ "limit": "tenant" | "user", "retryAfterSeconds": n }`. */
function retryAfterSeconds(details: unknown): number {
  try {
    const { retryAfterSeconds: seconds } = JSON.parse(String(details)) as { retryAfterSeconds?: unknown };
    return Number.isSafeInteger(seconds) ? (seconds as number) : defaultRetryAfterSeconds;
  } catch {
    return defaultRetryAfterSeconds;
  }
}

function isPostgrestError(body: unknown): body is PostgrestError {
  return (
    typeof body === 'object' && body !== null &&
    'code' in body && typeof body.code === 'string' &&
    'message' in body && typeof body.message === 'string'
  );
}
