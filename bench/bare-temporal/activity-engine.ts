import type { TemporalConnection } from '../../src/adapters/temporal/connection.ts';
import { createWorker } from '../../src/adapters/temporal/workers.ts';
import { loadWorkflowBundle } from '../../src/adapters/temporal/workflow-bundle.ts';
import { cacheDirectory } from '../../src/local/cache-directory.ts';
import { createEndings } from '../endings.ts';
import type { Runs } from '../run-times.ts';
import type { BareActivities } from './engine.ts';

const taskQueue = 'bare-activities';

export interface ActivityEngine extends Runs {
  stop(): Promise<void>;
}

/** An empty activity that no workflow runs ("standalone"; servers since 1.32), on a Worker with the settings of ours. */
export async function startBareActivities({ client, connection, namespace }: TemporalConnection): Promise<ActivityEngine> {
  const endings = createEndings();
  const activities: BareActivities = { doNothing: async (id) => endings.tell(id) };
  const workflowBundle = await loadWorkflowBundle(cacheDirectory());
  const worker = await createWorker({ connection, namespace, workflowBundle, activities }, taskQueue);
  const running = worker.run();
  return {
    runOne: () =>
      endings.waitFor((id) => client.activity.start('doNothing', { id, taskQueue, args: [id], startToCloseTimeout: '20 seconds' })),
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}
