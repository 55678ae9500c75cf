import { whileConnected } from '../adapters/temporal/connection-watch.ts';
import { connectToTemporal, installTemporalRuntime } from '../adapters/temporal/connection.ts';
import { createTemporalEngine } from '../adapters/temporal/engine.ts';
import { loadPumpConfig } from './config.ts';
import { neverYet } from './readiness.ts';
import { retry } from './retry.ts';
import { runProcess } from './run-process.ts';
import { runPump } from './run-pump.ts';
import { createTemporalProbe } from './temporal-probe.ts';

// The command pump on its own, for those who scale it apart from the workers: claims commands and starts their workflows.
await runProcess('command-pump', loadPumpConfig, async (context) => {
  const { config, log, signal, need } = context;
  installTemporalRuntime(log);
  need('Temporal', neverYet);
  const temporal = await retry(connectToTemporal, { log, signal, waitingFor: 'Temporal; commands wait' });
  if (temporal === undefined) return;
  need('Temporal', createTemporalProbe(temporal, config.INTENT_TASK_QUEUES));
  const engine = createTemporalEngine({ client: temporal.client, sharedQueues: config.INTENT_TASK_QUEUES, eager: false });
  await whileConnected(temporal, signal, (whileUsable) =>
    runPump({ ...context, ...engine, connectionString: config.PUMP_DATABASE_URL, signal: whileUsable }),
  );
  await temporal.connection.close();
});
