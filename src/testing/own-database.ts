import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { LoginRole } from '../local/login-roles.ts';
import { type PostgresOptions, startPostgres } from '../local/postgres/start-postgres.ts';
import { type HostedLayout, layHosted } from './hosted-layout.ts';
import { buildTemplate, databaseUrl, prepareTemplate, type Template } from './template-database.ts';
import { chooseTestPort } from './test-port.ts';
import { withoutFsync } from './test-server.ts';

const databaseName = 'intent';
const password = 'on-this-machine-only';

export interface OwnDatabase {
  /** As superuser, and past every proxy. */
  readonly admin: pg.Pool;
  /** As the one who migrates: on a hosted layout no superuser. */
  readonly migratorUrl: string;
  readonly port: number;
  /** Of the superuser `postgres`. */
  readonly password: string;
  /** Of the server's data. */
  readonly directory: string;
  urlFor(role: LoginRole): string;
  /** Of the server's first process; it may run below a wrapper, so this stands in its directory. */
  postmasterPid(): number;
  /**
   * `fast` ends sessions; `immediate` is a crash with a recovery. The server, which may have ended by itself, is up again when it
   * resolves. `meanwhile` is called while it is down.
   */
  restart(how: 'fast' | 'immediate', meanwhile?: () => void): Promise<void>;
  /** Ends the server as a crash does, for good. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A migrated database on an embedded server of its own, for what would harm the others: its home is `postgres/` in this directory.
 * With a layout, it is laid out as a hosted Supabase project's. Without fsync nothing is lost but by a crash of the machine.
 */
export async function startOwnDatabase(home: string, layout?: HostedLayout, settings: Readonly<Record<string, string>> = withoutFsync): Promise<OwnDatabase> {
  const directory = join(home, 'postgres');
  const options: PostgresOptions = { directory, port: await chooseTestPort(), password, log: () => {}, settings };
  let server = await startPostgres(options);
  const migratorUrl = server.adminUrl(databaseName);
  let template: Template;
  if (layout === undefined) {
    template = await buildTemplate({ adminUrl: server.adminUrl(), ours: true }, databaseName);
  } else {
    const { platformUrl } = await layHosted(server.adminUrl(), databaseName, layout);
    template = await prepareTemplate({ adminUrl: platformUrl, ours: true }, databaseName, migratorUrl);
  }
  const admin = new pg.Pool({ connectionString: databaseUrl(template.adminUrl, databaseName), max: 4 });
  // Sessions end on purpose here.
  admin.on('error', () => {});
  admin.on('connect', (client) => client.on('error', () => {}));

  async function crash(): Promise<void> {
    process.kill(postmasterPid(directory), 'SIGQUIT');
    await server.exited;
  }

  return {
    admin,
    migratorUrl,
    port: options.port,
    password,
    directory,
    postmasterPid: () => postmasterPid(directory),
    urlFor: (role) => databaseUrl(template.adminUrl, databaseName, { user: role, password: template.rolePassword }),
    async restart(how, meanwhile = () => {}) {
      await (how === 'fast' ? server.stop() : crash());
      meanwhile();
      server = await startPostgres(options);
    },
    crash,
    async stop() {
      await admin.end();
      await server.stop();
    },
  };
}

function postmasterPid(directory: string): number {
  return Number.parseInt(readFileSync(join(directory, 'postmaster.pid'), 'utf8'), 10);
}
