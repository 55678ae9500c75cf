import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../../local/postgres/start-postgres.ts';
import { createScratchDirectory } from '../scratch-directory.ts';
import { chooseTestPort } from '../test-port.ts';
import { makeApiKeys } from './api-keys.ts';
import { startBalancer } from './balancer.ts';
import { makeCertificates, serverName } from './certificates.ts';
import { dropDatabases, makeDatabases } from './databases.ts';
import { makeNamespace } from './namespace.ts';
import type { ServerPrograms } from './obtain-server.ts';
import { processConfig, processNames, type ProcessPorts, rolesOf } from './process-config.ts';
import { createServerProcess, type ServerProcess } from './server-process.ts';

/** What docs/operations.md gives a cluster of one's own; and that a new namespace is served at once. */
const dynamicConfig = `
matching.enableFairness: [{ value: true }]
frontend.keepAliveTime: [{ value: 5s }]
frontend.keepAliveTimeout: [{ value: 5s }]
system.namespaceCacheRefreshInterval: [{ value: 1s }]
`;

export interface Cluster {
  /** Of all frontends, as behind a load balancer. */
  readonly port: number;
  /** What its clients need besides the address: TEMPORAL_TLS…, TEMPORAL_API_KEY. */
  readonly clientEnvironment: Readonly<Record<string, string>>;
  /** Two of each service. */
  readonly processes: readonly ServerProcess[];
  /** Of the processes' logs, until it stops. */
  readonly logs: string;
  /** All processes, away for so long. `kill`: without a farewell. `wipe`: they come back without anything. */
  restart(how: 'stop' | 'kill' | 'wipe', awayMs: number): Promise<void>;
  /** Leaves no process and no file behind. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly programs: ServerPrograms;
  readonly log: (line: string) => void;
}

/**
 * Temporal as one runs it in production: frontend, history, matching and worker as processes of their own, two of each, on PostgreSQL, and
 * only for clients with a certificate and an API key. Resolves when it serves the namespace `default`.
 */
export async function startCluster({ programs, log }: ClusterOptions): Promise<Cluster> {
  const scratch = await createScratchDirectory();
  const directory = scratch.path;
  const parts: (() => unknown)[] = [() => scratch.remove()];
  const stop = async () => {
    // Those that stand on others first.
    for (let last = parts.pop(); last !== undefined; last = parts.pop()) await last();
  };
  try {
    const password = randomBytes(18).toString('base64url');
    const postgres = await startPostgres({ directory: join(directory, 'postgres'), port: await chooseTestPort(), password, log });
    parts.push(() => postgres.stop());
    const database = { port: postgres.port, user: 'postgres', password };
    const [certificates, apiKeys] = await Promise.all([
      makeCertificates(directory),
      makeApiKeys(directory),
      makeDatabases(programs.sqlTool, database),
    ]);
    writeFileSync(join(directory, 'dynamic-config.yaml'), dynamicConfig);
    log("The cluster's databases, certificates and keys are made.");

    const members = await chooseMembers();
    const first = Object.assign({}, ...members.toReversed().map(({ ports }) => ports)) as ProcessPorts;
    const common = { first, database, certificates, keySet: apiKeys.keySet, dynamicConfig: join(directory, 'dynamic-config.yaml') };
    const processes = members.map(({ name, ports }) =>
      createServerProcess({ name, executable: programs.server, ports, config: processConfig({ ...common, own: ports }), directory }),
    );
    const endAll = (how: 'stop' | 'kill') => Promise.all(processes.map((process) => process.end(how)));
    const startAll = async () => {
      // The first one writes down what the cluster is. Two that do so at a time end with an error.
      await processes[0]!.start();
      // All of them, so that none is on its way up while the others are ended.
      const results = await Promise.allSettled(processes.slice(1).map((process) => process.start()));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    };
    parts.push(() => endAll('stop'));
    await startAll();
    log(`${processes.map(({ name }) => name).join(', ')} run.`);

    const balancer = await startBalancer(members.flatMap(({ ports }) => ports.frontend?.grpc ?? []));
    parts.push(() => balancer.stop());
    const { port } = balancer;
    const clientEnvironment = {
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.authority,
      TEMPORAL_TLS_CLIENT_CERT_PATH: certificates.client.certificate,
      TEMPORAL_TLS_CLIENT_KEY_PATH: certificates.client.key,
      TEMPORAL_TLS_SERVER_NAME: serverName,
      TEMPORAL_API_KEY: apiKeys.administrator,
    };
    const makeFirstNamespace = () => makeNamespace({ ...clientEnvironment, TEMPORAL_ADDRESS: `127.0.0.1:${port}` }, 'default');
    await makeFirstNamespace();
    log('The cluster serves its first namespace.');
    return {
      port,
      clientEnvironment,
      processes,
      logs: join(directory, 'logs'),
      async restart(how, awayMs) {
        await endAll(how === 'kill' ? 'kill' : 'stop');
        if (how === 'wipe') {
          await dropDatabases(programs.sqlTool, database);
          await makeDatabases(programs.sqlTool, database);
        }
        await sleep(awayMs);
        await startAll();
        if (how === 'wipe') await makeFirstNamespace();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Member {
  readonly name: string;
  readonly ports: ProcessPorts;
}

/** Every process, each on ports of its own. */
function chooseMembers(): Promise<Member[]> {
  return Promise.all(
    processNames.map(async (name) => {
      const ports = rolesOf(name).map(async (role) => [role, { grpc: await chooseTestPort(), membership: await chooseTestPort() }] as const);
      return { name, ports: Object.fromEntries(await Promise.all(ports)) };
    }),
  );
}
