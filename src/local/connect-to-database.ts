import pg from 'pg';
import { StackError } from './stack-error.ts';

/** A connection. Throws `StackError` if there is none to be had. */
export async function connectToDatabase(url: string): Promise<pg.Client> {
  try {
    const client = new pg.Client({ connectionString: url });
    // If it is lost, the query in hand fails, or the next. Without a listener it would end the process, between two of them.
    client.on('error', () => {});
    await client.connect();
    return client;
  } catch (cause) {
    const message = `The database cannot be reached: ${describe(cause)}`;
    throw new StackError(message, 'Check its URL, and that the server runs.', { cause });
  }
}

/** A refused connection to `localhost` is an AggregateError without a message of its own. */
function describe(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(String).join('; ') : (error as Error).message;
}
