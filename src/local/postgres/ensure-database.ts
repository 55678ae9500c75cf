import pg from 'pg';
import { connectToDatabase } from '../connect-to-database.ts';

/** Creates the database if it is missing. `adminUrl` names another one of the same server. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  const client = await connectToDatabase(adminUrl);
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
