import { createCommandExecutions } from './command-executions.ts';
import { createTemporalDispatcher, type TemporalDispatcherDeps } from './dispatcher.ts';
import { createTemporalProcessWaker } from './process-waker.ts';

/**
 * With two batches under way, as many starts as find a free slot of a Worker in this process. Those that find none go through the
 * server's queue, which costs it more, and come back to the same Workers.
 */
const eagerBatches = { batchSize: 8 };

/** All that a pump asks of Temporal. */
export function createTemporalEngine(deps: TemporalDispatcherDeps) {
  return {
    ...(deps.eager && { batches: eagerBatches }),
    dispatcher: createTemporalDispatcher(deps),
    waker: createTemporalProcessWaker(deps),
    executions: createCommandExecutions(deps),
  };
}
