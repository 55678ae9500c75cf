import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { newestMigration } from '../stack/newest-migration.ts';
import { type Fault, restAfterRestartWithinMs, restWithinMs } from './fault.ts';
import { pick } from '../load/commands.ts';

const betweenMigrationsMs = 200;
const mostMigrations = 100;
const tables = ['commands', 'events', 'processes', 'reactions', 'tenants'] as const;

export const postgresFaults: readonly Fault[] = [
  ...(['fast', 'immediate'] as const).map(
    (how): Fault => ({
      name: `restart-postgres-${how}`,
      family: 'postgres',
      about: how === 'fast' ? 'PostgreSQL is restarted' : 'PostgreSQL crashes (SIGQUIT), and recovers',
      restWithinMs: restAfterRestartWithinMs,
      async inject({ stack }) {
        await stack.database.restart(how);
        return () => stack.ready();
      },
    }),
  ),
  ends('terminate-backends', 'pg_terminate_backend of every session of ours', `usename like 'intent_%' or usename = 'authenticator'`),
  ends('cut-doorbell', 'the sessions that LISTEN are ended', `application_name = 'intent-doorbell'`),
  {
    name: 'kill-backend',
    family: 'postgres',
    about: 'kill -9 of a server process: PostgreSQL crashes, and recovers',
    restWithinMs: restAfterRestartWithinMs,
    async inject({ stack, random }) {
      const sessions = `select pid from pg_stat_activity where usename = 'intent_worker' order by pid`;
      const { rows } = await stack.database.admin.query<{ pid: number }>(sessions);
      if (rows.length > 0) process.kill(pick(rows, random).pid, 'SIGKILL');
      return () => stack.ready();
    },
  },
  {
    name: 'lock-table',
    family: 'postgres',
    about: 'somebody locks a table, as a migration does',
    restWithinMs,
    async inject({ stack, random }) {
      const connection = await stack.database.admin.connect();
      await connection.query(`begin; lock table intent.${pick(tables, random)} in access exclusive mode`);
      return async () => {
        await connection.query('rollback');
        connection.release();
      };
    },
  },
  {
    name: 'open-transaction',
    family: 'postgres',
    about: 'a write transaction, begun before the others, stays open',
    restWithinMs,
    async inject({ stack }) {
      const connection = await stack.database.admin.connect();
      await connection.query(`begin; select pg_current_xact_id(); create temporary table held (x int) on commit drop`);
      return async () => {
        await connection.query('rollback');
        connection.release();
      };
    },
  },
  {
    name: 'migrate',
    family: 'postgres',
    about: 'the newest migration, which can be repeated, is run again; where it has to give way it is tried once more',
    restWithinMs,
    async inject({ stack, note }) {
      const migration = newestMigration();
      const connection = new pg.Client(stack.database.migratorUrl);
      connection.on('error', () => {});
      await connection.connect();
      let tries = 1;
      while (!(await isMigrated(connection, migration))) {
        if (tries === mostMigrations) throw new Error(`The migration has given way ${tries} times.`);
        await connection.query('rollback');
        await sleep(betweenMigrationsMs);
        tries += 1;
      }
      await connection.end();
      note(`${tries} tries`);
      return async () => {};
    },
  },
];

const lockNotAvailable = '55P03';
const deadlock = '40P01';

/** False if it has given way. */
async function isMigrated(connection: pg.Client, migration: string): Promise<boolean> {
  try {
    await connection.query(`begin; ${migration}; commit`);
    return true;
  } catch (error) {
    if (![lockNotAvailable, deadlock].includes((error as { code: string }).code)) throw error;
    return false;
  }
}

function ends(name: string, about: string, condition: string): Fault {
  return {
    name,
    family: 'postgres',
    about,
    restWithinMs,
    async inject({ stack, note }) {
      const { rowCount } = await stack.database.admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${condition}`);
      note(`${rowCount} sessions`);
      return () => stack.ready();
    },
  };
}
