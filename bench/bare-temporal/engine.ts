import { fileURLToPath } from 'node:url';
import type { TemporalConnection } from '../../src/adapters/temporal/connection.ts';
import { createWorker } from '../../src/adapters/temporal/workers.ts';
import { bundleWorkflows } from '../../src/adapters/temporal/workflow-bundle.ts';
import { createEndings } from '../endings.ts';
import type { TemporalEngine } from '../temporal-commands.ts';
import type { bareWorkflow } from './workflow.ts';

const taskQueue = 'bare';

export interface BareActivities {
  doNothing(id: string): Promise<void>;
}

/** A workflow with one empty local activity, on a Worker with the settings of ours. It has ended when its activity has. */
export async function startBareTemporal({ client, connection, namespace }: TemporalConnection): Promise<TemporalEngine> {
  const endings = createEndings();
  const activities: BareActivities = { doNothing: async (id) => endings.tell(id) };
  const code = await bundleWorkflows(fileURLToPath(new URL('./workflow.ts', import.meta.url)));
  const worker = await createWorker({ connection, namespace, workflowBundle: { code }, activities }, taskQueue);
  const running = worker.run();
  let eager = true;
  return {
    runOne: () =>
      endings.waitFor((workflowId) =>
        client.workflow.start<typeof bareWorkflow>('bareWorkflow', { workflowId, taskQueue, args: [workflowId], requestEagerStart: eager }),
      ),
    async startBy(way) {
      eager = way === 'eager';
    },
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}
