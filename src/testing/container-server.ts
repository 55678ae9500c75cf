import { hostname } from 'node:os';
import { type ContainerRuntimeClient, GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import { postgresUrl } from '../local/postgres/postgres-url.ts';
import { processIdentity } from '../local/process/process-identity.ts';
import type { TestServer } from './test-server.ts';

const image = 'supabase/postgres:17.6.1.054';
/** The image's own check gives up after 20 s, which a machine with other work needs for the first start alone. */
const longestStartMs = 120_000;
const askEveryMs = 1_000;
const ownerLabel = 'intent.test-run';

/**
 * Supabase's image in Docker; undefined if no engine answers, and, after a line that says why, if one answers that cannot start it:
 * it has neither the image nor a registry, say.
 *
 * Testcontainers' reaper is not asked for. It is an image of its own, which is missing where this one is there, and it listens on every
 * address of the machine. What a killed run has left is removed by the next one.
 */
export async function startContainerServer(password: string, log: (line: string) => void): Promise<TestServer | undefined> {
  const client = await getContainerRuntimeClient().catch(() => undefined);
  if (client === undefined) return undefined;
  const { host } = client.info.containerRuntime;
  try {
    if (!/^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host)) {
      throw new Error(`Docker publishes at ${host}, and the server is published on loopback only`);
    }
    await removeAbandoned(client);
    return await start(password);
  } catch (error) {
    log(`${image} cannot be started (${(error as Error).message.trim()}): the embedded server takes its place.`);
    return undefined;
  }
}

async function start(password: string): Promise<TestServer> {
  const container = await new LoopbackContainer(image)
    .withEnvironment({ POSTGRES_PASSWORD: password })
    .withLabels({ [ownerLabel]: ownerOf(process.pid) })
    .withAutoCleanup(false)
    .withExposedPorts(5432)
    .withHealthCheck({
      // By TCP: while it makes its database the image listens on a socket only.
      test: ['CMD', 'pg_isready', '--host=127.0.0.1', '--username=postgres'],
      interval: askEveryMs,
      timeout: 5 * askEveryMs,
      retries: longestStartMs / askEveryMs,
    })
    .withWaitStrategy(Wait.forHealthCheck())
    .withStartupTimeout(longestStartMs)
    .start();
  return {
    description: `${image} in Docker`,
    ours: true,
    // In this image the superuser is supabase_admin; its `postgres` is an administrator with fewer rights.
    adminUrl: postgresUrl({ user: 'supabase_admin', password }, { port: container.getMappedPort(5432) }, 'postgres'),
    stop: async () => {
      await container.stop();
    },
  };
}

/** Testcontainers publishes on every address of the machine. */
class LoopbackContainer extends GenericContainer {
  protected override beforeContainerCreated(): Promise<void> {
    const published = Object.values(this.hostConfig.PortBindings as Record<string, { HostIp?: string }[]>).flat();
    for (const binding of published) binding.HostIp = '127.0.0.1';
    return Promise.resolve();
  }
}

/** Of this machine: an engine may serve several. */
async function removeAbandoned(client: ContainerRuntimeClient): Promise<void> {
  const { dockerode } = client.container;
  const all = await dockerode.listContainers({ all: true, filters: { label: [ownerLabel] } });
  const abandoned = all.filter(({ Labels }) => isAbandoned(Labels[ownerLabel]!));
  await Promise.all(abandoned.map(({ Id }) => dockerode.getContainer(Id).remove({ force: true, v: true })));
}

function isAbandoned(owner: string): boolean {
  const [machine, pid] = owner.split(' ');
  return machine === hostname() && owner !== ownerOf(Number(pid));
}

function ownerOf(pid: number): string {
  return `${hostname()} ${pid} ${processIdentity(pid)}`;
}
