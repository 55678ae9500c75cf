import { randomUUID } from 'node:crypto';
import { connectToTemporal, installTemporalRuntime, type TemporalConnection } from '../adapters/temporal/connection.ts';
import { loadWorkflowBundle } from '../adapters/temporal/workflow-bundle.ts';
import { startWorkers, type WorkersDeps } from '../adapters/temporal/workers.ts';
import { cacheDirectory } from '../local/cache-directory.ts';
import { type RunningTemporal, startTemporal } from '../local/temporal/start-temporal.ts';
import type { Logger } from '../ports/logger.ts';
import { clusterVariables, isOnCluster } from './cluster/cluster-variables.ts';
import { makeNamespace } from './cluster/namespace.ts';
import { createScratchDirectory } from './scratch-directory.ts';
import { chooseTestPort } from './test-port.ts';

/**
 * A Temporal server of the test's own; undefined, after a notice, on a machine that can have none. With INTENT_TEST_CLUSTER a namespace of
 * the test's own on the cluster of TEMPORAL_ADDRESS.
 */
export async function startTestTemporal(): Promise<RunningTemporal | undefined> {
  if (isOnCluster) return useCluster(process.env['TEMPORAL_ADDRESS']!);
  const scratch = await createScratchDirectory();
  const temporal = await startTemporal({
    directory: `${scratch.path}/temporal`,
    port: await chooseTestPort(),
    uiPort: await chooseTestPort(),
    log: console.log,
  });
  if (temporal === undefined) return undefined;
  return {
    ...temporal,
    async stop() {
      await temporal.stop();
      scratch.remove();
    },
  };
}

async function useCluster(address: string): Promise<RunningTemporal> {
  const namespace = `test-${randomUUID()}`;
  await makeNamespace(clusterVariables(), namespace);
  process.env['TEMPORAL_NAMESPACE'] = namespace;
  return { address, namespace, uiUrl: null, stop: async () => {} };
}

type TestWorkersOptions = Pick<WorkersDeps, 'activities' | 'log'> & Partial<WorkersDeps>;

/** Workers on that server, in this process. */
export async function startTestWorkers(temporal: TemporalPlace, options: TestWorkersOptions) {
  const { connection, client, namespace } = await connectToTestTemporal(temporal, options.log);
  const workers = await startWorkers({
    connection,
    client,
    namespace,
    workflowBundle: await loadWorkflowBundle(cacheDirectory()),
    sharedQueues: 1,
    listDedicatedTenants: async () => [],
    ...options,
  });
  return {
    client,
    async stop() {
      await workers.stop();
      await connection.close();
    },
  };
}

export type TemporalPlace = Pick<RunningTemporal, 'address'> & Partial<Pick<RunningTemporal, 'namespace'>>;

let isInstalled = false;

/** As the environment says (certificates), but for address and namespace. */
export function connectToTestTemporal({ address, namespace }: TemporalPlace, log: Logger): Promise<TemporalConnection> {
  installTestRuntime(log);
  process.env['TEMPORAL_ADDRESS'] = address;
  if (namespace !== undefined) process.env['TEMPORAL_NAMESPACE'] = namespace;
  return connectToTemporal();
}

/** Once in a process, before anything else of Temporal's. */
export function installTestRuntime(log: Logger): void {
  if (!isInstalled) installTemporalRuntime(log);
  isInstalled = true;
}
