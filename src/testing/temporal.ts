import { connectToTemporal, installTemporalRuntime, type TemporalConnection } from '../adapters/temporal/connection.ts';
import { loadWorkflowBundle } from '../adapters/temporal/workflow-bundle.ts';
import { startWorkers, type WorkersDeps } from '../adapters/temporal/workers.ts';
import { cacheDirectory } from '../local/cache-directory.ts';
import { type RunningTemporal, startTemporal } from '../local/temporal/start-temporal.ts';
import type { Logger } from '../ports/logger.ts';
import { createScratchDirectory } from './scratch-directory.ts';
import { chooseTestPort } from './test-port.ts';

/** A Temporal server of the test's own; undefined, after a notice, on a machine that can have none. */
export async function startTestTemporal(): Promise<RunningTemporal | undefined> {
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

type TestWorkersOptions = Pick<WorkersDeps, 'activities' | 'log'> & Partial<WorkersDeps>;

/** Workers on that server, in this process. */
export async function startTestWorkers(temporal: Pick<RunningTemporal, 'address'>, options: TestWorkersOptions) {
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

let isInstalled = false;

export function connectToTestTemporal({ address }: Pick<RunningTemporal, 'address'>, log: Logger): Promise<TemporalConnection> {
  installTestRuntime(log);
  process.env['TEMPORAL_ADDRESS'] = address;
  return connectToTemporal();
}

/** Once in a process, before anything else of Temporal's. */
export function installTestRuntime(log: Logger): void {
  if (!isInstalled) installTemporalRuntime(log);
  isInstalled = true;
}
