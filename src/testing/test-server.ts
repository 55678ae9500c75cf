import { randomBytes } from 'node:crypto';
import { startPostgres } from '../local/postgres/start-postgres.ts';
import { problemsOfDatabaseUrl } from '../main/database-url.ts';
import { startContainerServer } from './container-server.ts';
import { createScratchDirectory } from './scratch-directory.ts';
import { chooseTestPort } from './test-port.ts';

/** What the tests write is never to outlive a crash of the machine. */
export const withoutFsync = { fsync: 'off', full_page_writes: 'off' } as const;

export interface TestServer {
  /** For people: which server the tests run on. */
  readonly description: string;
  /** Whether it lives for this run only; else it is somebody's, and what it has is left as it is. */
  readonly ours: boolean;
  readonly adminUrl: string;
  stop(): Promise<void>;
}

/** A real PostgreSQL for the tests: the one of DATABASE_URL, else Supabase's image where Docker runs it, else the embedded one. */
export async function startTestServer(): Promise<TestServer> {
  const { DATABASE_URL } = process.env;
  if (DATABASE_URL) {
    const problems = problemsOfDatabaseUrl(DATABASE_URL, 'test');
    if (problems.length > 0) throw new Error(`DATABASE_URL ${problems.join(', and ')}.`);
    return { description: 'the server of DATABASE_URL', ours: false, adminUrl: DATABASE_URL, stop: async () => {} };
  }
  return (await startContainerServer(newPassword(), console.log)) ?? startEmbedded();
}

async function startEmbedded(): Promise<TestServer> {
  const scratch = await createScratchDirectory();
  const server = await startPostgres({
    directory: `${scratch.path}/postgres`,
    port: await chooseTestPort(),
    password: newPassword(),
    log: () => {},
    settings: withoutFsync,
  });
  return {
    description: `the embedded server on port ${server.port}`,
    ours: true,
    adminUrl: server.adminUrl(),
    async stop() {
      await server.stop();
      scratch.remove();
    },
  };
}

function newPassword(): string {
  return randomBytes(18).toString('base64url');
}
