import type { Client } from 'pg';
import { connectToDatabase } from './connect-to-database.ts';
import { fillReadModels } from './fill-read-models.ts';
import { layStandIns } from './lay-stand-ins.ts';
import { existingLoginRoles } from './login-roles.ts';
import type { LoginRole } from './login-roles.ts';
import { migrateDatabase } from './migrate-database.ts';
import type { UpTo } from './migrate-database.ts';
import { requireOurMigrations } from './migrations/our-migrations.ts';
import { waitForOtherMigration } from './one-migration-at-a-time.ts';
import { requireRealtimeTables, requireServedServer, requireWritable } from './served-server.ts';

export interface Preparation<T> {
  /** An administrator's, of a database that exists. */
  readonly adminUrl: string;
  readonly upTo: UpTo;
  readonly log: (line: string) => void;
  /** Called last, with the login roles that the server had before: their passwords are somebody's already. */
  readonly finish: (client: Client, rolesBefore: ReadonlySet<LoginRole>) => Promise<T>;
}

/** Lays the stand-ins, migrates, and returns what `finish` does. Repeatable. Throws `StackError` for what a person can mend. */
export async function prepareDatabase<T>({ adminUrl, upTo, log, finish }: Preparation<T>): Promise<T> {
  const client = await connectToDatabase(adminUrl);
  try {
    await requireServedServer(client);
    await requireWritable(client);
    await requireRealtimeTables(client);
    await waitForOtherMigration(client, log);
    await requireOurMigrations(client);
    const rolesBefore = await existingLoginRoles(client);
    await layStandIns(client);
    log('What Supabase provides is there (what was missing has got a stand-in).');
    await migrateDatabase(adminUrl, upTo);
    log('Every migration has been applied.');
    await fillReadModels(client, log);
    return await finish(client, rolesBefore);
  } finally {
    await client.end();
  }
}
