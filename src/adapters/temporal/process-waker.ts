import type { Client } from '@temporalio/client';
import type { ProcessWaker } from '../../ports/process-waker.ts';
import { processStart } from './workflow-starts.ts';
import type { processWorkflow } from './workflows/index.ts';

export interface TemporalProcessWakerDeps {
  readonly client: Client;
  /** How many shared task queues of a kind the tenants are spread over. */
  readonly sharedQueues: number;
}

/** A server that does not answer by then is as good as one that is away. */
const deadlineMs = 5_000;

/** Signals an instance's workflow, and starts it if none is running. The signal says where it belongs by now. */
export function createTemporalProcessWaker({ client, sharedQueues }: TemporalProcessWakerDeps): ProcessWaker {
  return {
    async wake(process) {
      const start = processStart(process, sharedQueues);
      await client.withDeadline(Date.now() + deadlineMs, () =>
        client.workflow.signalWithStart<typeof processWorkflow, [taskQueue: string]>('processWorkflow', {
          ...start,
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          signal: 'wake',
          signalArgs: [start.taskQueue],
        }),
      );
    },
  };
}
