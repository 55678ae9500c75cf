import { randomBytes } from 'node:crypto';
import { getContainerRuntimeClient, GenericContainer, Wait } from 'testcontainers';
import { startPostgres } from '../local/postgres/start-postgres.ts';
import { createScratchDirectory } from './scratch-directory.ts';
import { chooseTestPort } from './test-port.ts';

/** What the tests write is never to outlive a crash of the machine. */
export const withoutFsync = { fsync: 'off', full_page_writes: 'off' } as const;

const image = 'supabase/postgres:17.6.1.054';

export interface TestServer {
  /** For people: which server the tests run on. */
  readonly description: string;
  /** Whether it lives for this run only; else it is somebody's, and what it has is left as it is. */
  readonly ours: boolean;
  readonly adminUrl: string;
  stop(): Promise<void>;
}

/** A real PostgreSQL for the tests: the one of DATABASE_URL, else Supabase's image where Docker runs, else the embedded one. */
export async function startTestServer(): Promise<TestServer> {
  const { DATABASE_URL } = process.env;
  if (DATABASE_URL) {
    return { description: 'the server of DATABASE_URL', ours: false, adminUrl: DATABASE_URL, stop: async () => {} };
  }
  return (await dockerRuns()) ? startContainer() : startEmbedded();
}

async function dockerRuns(): Promise<boolean> {
  try {
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}

async function startContainer(): Promise<TestServer> {
  const password = newPassword();
  const container = await new GenericContainer(image)
    .withEnvironment({ POSTGRES_PASSWORD: password })
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forHealthCheck())
    .start();
  return {
    description: `${image} in Docker`,
    ours: true,
    // In this image the superuser is supabase_admin; its `postgres` is an administrator with fewer rights.
    adminUrl: `postgresql://supabase_admin:${password}@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    stop: async () => {
      await container.stop();
    },
  };
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
