import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { LoginRole } from '../../src/local/login-roles.ts';
import { type PostgresOptions, startPostgres } from '../../src/local/postgres/start-postgres.ts';
import { buildTemplate, databaseUrl } from '../../src/testing/template-database.ts';
import { chooseTestPort } from '../../src/testing/test-port.ts';

const databaseName = 'intent';
const password = 'chaos-on-this-machine-only';

export interface ChaosDatabase {
  /** As superuser, and past every proxy. */
  readonly admin: pg.Pool;
  readonly port: number;
  urlFor(role: LoginRole): string;
  /** `fast` ends sessions; `immediate` is a crash with a recovery. The server is up again when it resolves. */
  restart(how: 'fast' | 'immediate'): Promise<void>;
  stop(): Promise<void>;
}

/** A migrated database on a server of its own. */
export async function startDatabase(home: string): Promise<ChaosDatabase> {
  const directory = join(home, 'postgres');
  const options: PostgresOptions = { directory, port: await chooseTestPort(), password, log: () => {} };
  let server = await startPostgres(options);
  const template = await buildTemplate(
    { description: '', ours: true, adminUrl: server.adminUrl(), stop: () => server.stop() },
    databaseName,
  );
  const admin = new pg.Pool({ connectionString: server.adminUrl(databaseName), max: 4 });
  // Sessions end on purpose here.
  admin.on('error', () => {});
  admin.on('connect', (client) => client.on('error', () => {}));

  return {
    admin,
    port: options.port,
    urlFor: (role) => databaseUrl(template.adminUrl, databaseName, { user: role, password: template.rolePassword }),
    async restart(how) {
      if (how === 'fast') {
        await server.stop();
      } else {
        process.kill(postmasterPid(directory), 'SIGQUIT');
        await server.exited;
      }
      server = await startPostgres(options);
    },
    async stop() {
      await admin.end();
      await server.stop();
    },
  };
}

/** The server may run below a wrapper: its own pid stands in its directory. */
function postmasterPid(directory: string): number {
  return Number.parseInt(readFileSync(join(directory, 'postmaster.pid'), 'utf8'), 10);
}
