import { StackError } from '../local/stack-error.ts';
import { problemsOfDatabaseUrl } from '../main/database-url.ts';

/** DATABASE_URL; throws `StackError` if it is not set, or asks for less than NODE_ENV does. */
export function requireDatabaseUrl(): string {
  const { DATABASE_URL, NODE_ENV } = process.env;
  if (!DATABASE_URL) {
    throw new StackError('DATABASE_URL is not set.', "Set it to an administrator's: postgresql://user@host/database, with the password in PGPASSWORD.");
  }
  const problems = problemsOfDatabaseUrl(DATABASE_URL, NODE_ENV);
  if (problems.length > 0) {
    throw new StackError(`DATABASE_URL ${problems.join(', and ')}.`, 'Read in .env.example, at NODE_ENV, what is asked for where.');
  }
  return DATABASE_URL;
}
