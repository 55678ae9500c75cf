import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { obtainServer } from '../../src/testing/cluster/obtain-server.ts';
import { startCluster } from '../../src/testing/cluster/start-cluster.ts';
import type { ChaosTemporal } from './temporal.ts';
import { terminateWorkflows } from './terminate-workflows.ts';

/** A cluster of eight processes, for clients with a certificate and a key only. Throws `StackError` if none can be had. */
export async function startTemporalCluster(home: string): Promise<ChaosTemporal> {
  const { port, clientEnvironment, processes, logs, restart, stop } = await startCluster({ programs: await obtainServer(console.log), log: () => {} });
  return {
    port,
    clientEnvironment,
    processes,
    signal: (name) => processes.forEach((process) => process.signal(name)),
    restart,
    terminateWorkflows: () => terminateWorkflows({ ...clientEnvironment, TEMPORAL_ADDRESS: `127.0.0.1:${port}` }),
    async stop() {
      // To be kept with the others.
      cpSync(logs, join(home, 'logs', 'cluster'), { recursive: true });
      await stop();
    },
  };
}
