import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { loginRoles, setPassword } from '../local/login-roles.ts';
import { prepareDatabase } from '../local/prepare-database.ts';
import { until } from '../local/process/until.ts';
import { queryOnce } from './query-once.ts';
import type { TestServer } from './test-server.ts';

/** What a test needs to make a database of its own. Plain data: it travels from vitest's main process to its workers. */
export interface Template {
  readonly adminUrl: string;
  readonly name: string;
  /** Of every login role. */
  readonly rolePassword: string;
}

/** Makes one migrated database, of which each test takes a copy: copying takes a fraction of the time that migrating does. */
export async function buildTemplate(server: Server, name: string): Promise<Template> {
  await queryOnce(server.adminUrl, `create database ${pg.escapeIdentifier(name)}`);
  return prepareTemplate(server, name, databaseUrl(server.adminUrl, name));
}

type Server = Pick<TestServer, 'adminUrl' | 'ours'>;

/** The same of a database that is there, migrated as its own administrator, who need be no superuser. */
export async function prepareTemplate({ adminUrl, ours }: Server, name: string, migratorUrl: string): Promise<Template> {
  const { INTENT_TEST_PASSWORD } = process.env;
  const rolePassword = INTENT_TEST_PASSWORD ?? randomBytes(18).toString('base64url');
  const client = new pg.Client(databaseUrl(adminUrl, name));
  await client.connect();
  await prepareDatabase({
    adminUrl: migratorUrl,
    upTo: 'current',
    log: () => {},
    async finish(_, rolesBefore) {
      const settable = loginRoles.filter((role) => ours || !rolesBefore.has(role));
      if (settable.length < loginRoles.length && INTENT_TEST_PASSWORD === undefined) {
        const roles = [...rolesBefore].join(', ');
        throw new Error(`The server of DATABASE_URL has ${roles} already: give their password in INTENT_TEST_PASSWORD.`);
      }
      for (const role of settable) await setPassword(client, role, rolePassword);
    },
  });
  await client.end();
  return { adminUrl, name, rolePassword };
}

/**
 * Pools say goodbye and do not wait for the server, so the first try gives their sessions the five seconds that PostgreSQL waits;
 * what is still there then is ended.
 */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  const drop = `drop database if exists ${pg.escapeIdentifier(name)}`;
  try {
    await queryOnce(adminUrl, drop);
  } catch (error) {
    if ((error as { code?: string }).code !== inUse) throw error;
    // Force does not end who reads a replication slot. It is on its way out.
    const readers = `select from pg_replication_slots where active and database = ${pg.escapeLiteral(name)}`;
    await until(async () => (await queryOnce(adminUrl, readers)).length === 0, AbortSignal.timeout(slotTimeoutMs));
    await queryOnce(adminUrl, `${drop} with (force)`);
  }
}

const inUse = '55006';
const slotTimeoutMs = 10_000;

export async function copyDatabase(adminUrl: string, from: string, to: string): Promise<void> {
  await queryOnce(adminUrl, `create database ${pg.escapeIdentifier(to)} template ${pg.escapeIdentifier(from)}`);
}

/** The same server, another database or another login. */
export function databaseUrl(adminUrl: string, database: string, login?: { user: string; password: string }): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  if (login !== undefined) {
    url.username = login.user;
    url.password = encodeURIComponent(login.password);
  }
  return url.href;
}

