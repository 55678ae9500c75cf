import type { TemporalConnection } from '../adapters/temporal/connection.ts';
import { sharedQueues } from '../adapters/temporal/task-queues.ts';
import { Lack, type Probe } from './readiness.ts';

/** Whether Temporal answers, and takes work for as many shared queues. */
export function createTemporalProbe({ missingServices }: Pick<TemporalConnection, 'missingServices'>, queueCount: number): Probe {
  const taskQueues = sharedQueues(queueCount);
  return async () => {
    const missing = await missingServices(taskQueues);
    if (missing.length > 0) throw new Lack(`it answers and takes no work, because its ${missing.join(' and ')} does not answer`);
  };
}
