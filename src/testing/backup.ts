import type { TestDatabase } from './database.ts';
import { queryOnce } from './query-once.ts';
import { copyDatabase, databaseUrl, dropDatabase } from './template-database.ts';

export interface Backup {
  /** Puts the database back to the moment of the backup, as a restore does. Anyone who is connected is cut off. */
  restore(): Promise<void>;
  drop(): Promise<void>;
}

/** Copies a database that is in use. That needs one without sessions, so they end; they may begin anew at once. */
export async function backUp({ name, adminUrl }: TestDatabase): Promise<Backup> {
  const server = databaseUrl(adminUrl, 'postgres');
  const backup = `${name}_backup`;
  await cutOff(server, name);
  await copyDatabase(server, name, backup);
  await queryOnce(server, `alter database ${name} allow_connections true`);
  return {
    async restore() {
      // The slot of anyone who follows the WAL ends with its session, and would keep the database until then.
      await cutOff(server, name);
      await queryOnce(server, `drop database ${name}`);
      await copyDatabase(server, backup, name);
    },
    drop: () => dropDatabase(server, backup),
  };
}

async function cutOff(server: string, name: string): Promise<void> {
  const longestMs = 10_000;
  await queryOnce(server, `alter database ${name} allow_connections false`);
  await queryOnce(server, `select pg_terminate_backend(pid, ${longestMs}) from pg_stat_activity where datname = '${name}'`);
}
