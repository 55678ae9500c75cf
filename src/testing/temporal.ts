import { createActivities } from '../adapters/temporal/activities.ts';
import { connectToTemporal, installTemporalRuntime } from '../adapters/temporal/connection.ts';
import { loadWorkflowBundle } from '../adapters/temporal/workflow-bundle.ts';
import { startWorkers } from '../adapters/temporal/workers.ts';
import { type RunningTemporal, startTemporal } from '../local/temporal/start-temporal.ts';
import type { EngineDeps } from './dispatcher-contract.ts';
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

/** Workers on that server, in this process. */
export async function startTestWorkers(temporal: RunningTemporal, deps: EngineDeps) {
  installTemporalRuntime(deps.log);
  process.env['TEMPORAL_ADDRESS'] = temporal.address;
  const { connection, client, namespace } = await connectToTemporal();
  const workers = await startWorkers({
    connection,
    namespace,
    workflowBundle: await loadWorkflowBundle(),
    activities: createActivities(deps),
    sharedQueues: 1,
    listDedicatedTenants: async () => [],
    log: deps.log,
  });
  return {
    client,
    async stop() {
      await workers.stop();
      await connection.close();
    },
  };
}
