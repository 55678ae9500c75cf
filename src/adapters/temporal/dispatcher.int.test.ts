import { describe } from 'vitest';
import { itDispatchesCommands } from '../../testing/dispatcher-contract.ts';
import { needs } from '../../testing/needs.ts';
import { startTestTemporal, startTestWorkers } from '../../testing/temporal.ts';
import { createActivities } from './activities.ts';
import { createTemporalDispatcher } from './dispatcher.ts';

const temporal = await startTestTemporal();

describe('the Temporal engine', needs(temporal, 'there is no Temporal'), () => {
  itDispatchesCommands(async (deps) => {
    const activities = createActivities({ ...deps, ...onlyCommands });
    const workers = await startTestWorkers(temporal!, { activities, log: deps.log });
    return {
      dispatcher: createTemporalDispatcher({ client: workers.client, sharedQueues: 1, eager: true }),
      async stop() {
        await workers.stop();
        await temporal!.stop();
      },
    };
  });
});

const never = () => Promise.reject(new Error('Only commands run here.'));
const onlyCommands = {
  advanceProcess: never,
  makeCall: { attempt: never, giveUp: never },
  processStore: { load: never, advance: never, loadCall: never, answerCall: never, cancel: never, fail: never },
  schedules: { submit: never },
};
