import { createCommandExecutions } from './command-executions.ts';
import { createTemporalDispatcher, type TemporalDispatcherDeps } from './dispatcher.ts';
import { createTemporalProcessWaker } from './process-waker.ts';

/** All that a pump asks of Temporal. */
export function createTemporalEngine(deps: TemporalDispatcherDeps) {
  return {
    dispatcher: createTemporalDispatcher(deps),
    waker: createTemporalProcessWaker(deps),
    executions: createCommandExecutions(deps),
  };
}
