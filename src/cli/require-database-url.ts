import { StackError } from '../local/stack-error.ts';

/** DATABASE_URL; throws `StackError` where it is not set. */
export function requireDatabaseUrl(): string {
  const { DATABASE_URL } = process.env;
  if (!DATABASE_URL) {
    throw new StackError('DATABASE_URL is not set.', "Set it to an administrator's: postgresql://user:password@host/database");
  }
  return DATABASE_URL;
}
