import { loginRoles, setPassword } from './login-roles.ts';
import type { LoginRole } from './login-roles.ts';
import { ensureDatabase } from './postgres/ensure-database.ts';
import { postgresUrl } from './postgres/postgres-url.ts';
import { startPostgres } from './postgres/start-postgres.ts';
import type { RunningPostgres } from './postgres/start-postgres.ts';
import { prepareDatabase } from './prepare-database.ts';
import type { Secrets } from './secrets.ts';
import { seedExample } from './seed.ts';
import type { StackInfo } from './stack-info.ts';

const databaseName = 'intent';

export interface LocalDatabase extends RunningPostgres {
  readonly url: string;
  urlFor(role: LoginRole): string;
  readonly users: StackInfo['users'];
}

/** Starts PostgreSQL and brings the database `intent` to the state of `sql/`, with the example's tenants and users in it. */
export async function startLocalDatabase(options: {
  readonly directory: string;
  readonly port: number;
  readonly secrets: Secrets;
  readonly log: (line: string) => void;
}): Promise<LocalDatabase> {
  const { directory, port, secrets, log } = options;
  const server = await startPostgres({ directory, port, password: secrets.postgresPassword, log });
  try {
    const url = server.adminUrl(databaseName);
    await ensureDatabase(server.adminUrl(), databaseName);
    const users = await prepareDatabase({
      adminUrl: url,
      upTo: 'current',
      log: () => {},
      async finish(client) {
        for (const role of loginRoles) await setPassword(client, role, secrets.rolePasswords[role]);
        return seedExample(client, secrets);
      },
    });
    const urlFor = (role: LoginRole) => postgresUrl({ user: role, password: secrets.rolePasswords[role] }, { port }, databaseName);
    return { ...server, url, urlFor, users };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
