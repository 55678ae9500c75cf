import { connectToDatabase } from '../local/connect-to-database.ts';
import { layStandIns } from '../local/lay-stand-ins.ts';
import { requireDatabaseUrl } from './require-database-url.ts';

/** Lays the stand-ins in the database of DATABASE_URL. Returns the exit code. graphile-migrate calls it for an empty database. */
export async function standIns(): Promise<number> {
  const client = await connectToDatabase(requireDatabaseUrl());
  try {
    await layStandIns(client);
    console.log('What a Supabase database has is there.');
    return 0;
  } finally {
    await client.end();
  }
}
