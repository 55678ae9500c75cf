import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { LoginRole } from '../src/local/login-roles.ts';
import { projectRoot } from '../src/local/paths.ts';
import { choosePort } from '../src/local/ports.ts';
import { startPostgres } from '../src/local/postgres/start-postgres.ts';
import { createScratchDirectory } from '../src/testing/scratch-directory.ts';
import { buildTemplate, copyDatabase, databaseUrl } from '../src/testing/template-database.ts';

const preferredPort = 54522;
const password = 'bench';
const sqlDirectory = join(projectRoot, 'bench', 'sql');

export interface BenchDatabase {
  readonly adminUrl: string;
  readonly admin: pg.Pool;
  urlFor(role: LoginRole): string;
}

export interface BenchServer {
  /** A migrated database, with the functions of `bench/sql/` in the schema bench. */
  createDatabase(name: string): Promise<BenchDatabase>;
  stop(): Promise<void>;
}

/** An embedded PostgreSQL of the benchmark's own, with the settings of the local stack. `stop` leaves nothing behind. */
export async function startBenchServer(): Promise<BenchServer> {
  const scratch = await createScratchDirectory();
  const server = await startPostgres({
    directory: join(scratch.path, 'postgres'),
    port: await choosePort(preferredPort),
    password,
    log: () => {},
  });
  const pools: pg.Pool[] = [];
  // If somebody presses Ctrl-C, the benchmark fails with its server, and cleans up behind itself.
  const interrupt = () => void server.stop();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  async function stop(): Promise<void> {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await Promise.all(pools.map((pool) => pool.end()));
    await server.stop();
    scratch.remove();
  }

  try {
    const template = await buildTemplate({ ours: true, adminUrl: server.adminUrl() }, 'bench_template');
    await layBenchFunctions(server.adminUrl(template.name));
    return {
      async createDatabase(name) {
        await copyDatabase(server.adminUrl(), template.name, name);
        const adminUrl = server.adminUrl(name);
        const admin = new pg.Pool({ connectionString: adminUrl });
        // A pool calls itself ended a moment before its connections are, and the server then ends those.
        admin.on('error', () => {});
        pools.push(admin);
        return { adminUrl, admin, urlFor: (role) => databaseUrl(adminUrl, name, { user: role, password: template.rolePassword }) };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function layBenchFunctions(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    // The functions call each other, whatever their files are called.
    await client.query('create schema bench; grant usage on schema bench to public; set check_function_bodies = off');
    for (const file of readdirSync(sqlDirectory).toSorted()) await client.query(readFileSync(join(sqlDirectory, file), 'utf8'));
  } finally {
    await client.end();
  }
}
