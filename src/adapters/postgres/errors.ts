import { CommandSettled, SchemaUnfit, StoreUnavailable } from '../../ports/errors.ts';

/** By class (the first two characters) of an SQLSTATE: connection, resources, operator intervention, rollback, lock not available, disk. */
const passingClasses = new Set(['08', '53', '57', '40', '55', '58']);
/** A server that is read-only, after a fail-over say; and what sockets and pg say before there is a SQLSTATE. */
const passingCodes = new Set(['25006', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN']);
/**
 * No such function, table, column, schema or type, or none that this role may use: the schema is older or newer than this release, or is
 * being migrated. A worker may well be deployed before the migration has run.
 */
const unfitCodes = new Set(['42883', '42P01', '42703', '3F000', '42704', '42501']);
const passingMessages =
  /connection terminated|timeout exceeded when trying to connect|timeout expired|query read timeout|cannot use a pool after/i;

/** Runs a call to PostgreSQL and gives its errors the names that our ports use (see `sql/ERROR_CODES.md`). */
export async function translatingErrors<Value>(call: () => Promise<Value>): Promise<Value> {
  try {
    return await call();
  } catch (error) {
    throw translate(error);
  }
}

function translate(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { code?: string };
  if (code === 'IN410') return new CommandSettled(error.message, { cause: error });
  if (code !== undefined && unfitCodes.has(code)) {
    const message = `PostgreSQL: its schema is older or newer than this release needs (${code}: ${error.message}). Commands wait: migrate it, or run the release that fits.`;
    return new SchemaUnfit(message, { cause: error });
  }
  if (isPassing(code, error.message)) return new StoreUnavailable(`PostgreSQL: ${error.message || code}`, { cause: error });
  return error;
}

function isPassing(code: string | undefined, message: string): boolean {
  if (code === undefined) return passingMessages.test(message);
  return passingCodes.has(code) || passingClasses.has(code.slice(0, 2));
}
