import { describe } from 'vitest';
import { itDispatchesCommands } from '../../testing/dispatcher-contract.ts';
import { startTestTemporal, startTestWorkers } from '../../testing/temporal.ts';
import { createTemporalDispatcher } from './dispatcher.ts';

const temporal = await startTestTemporal();

describe.skipIf(temporal === undefined)('the Temporal engine', () => {
  itDispatchesCommands(async (deps) => {
    const workers = await startTestWorkers(temporal!, deps);
    return {
      dispatcher: createTemporalDispatcher({ client: workers.client, sharedQueues: 1, eager: true }),
      async stop() {
        await workers.stop();
        await temporal!.stop();
      },
    };
  });
});
