import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningProcess, startProcess } from '../../local/process/start-process.ts';
import { acceptsConnections, until } from '../../local/process/until.ts';
import type { ProcessPorts } from './process-config.ts';

/** On a busy machine, and when the others of the cluster must first be found dead. */
const readyTimeoutMs = 60_000;
const stopTimeoutMs = 5_000;

/** One of the cluster's processes, which can be broken while the others go on. */
export interface ServerProcess {
  readonly name: string;
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has ended. `kill`: without a farewell. */
  end(how: 'stop' | 'kill'): Promise<void>;
  /** After its end: the same again. Resolves when it takes connections. */
  start(): Promise<void>;
}

export interface ServerProcessOptions {
  readonly name: string;
  readonly executable: string;
  /** Of its roles. */
  readonly ports: ProcessPorts;
  readonly config: object;
  /** Of the cluster. The configuration lies there, the log and the record in `logs/` and `run/`. */
  readonly directory: string;
}

/** A process that is still to be started. */
export function createServerProcess({ name, executable, ports, config, directory }: ServerProcessOptions): ServerProcess {
  const file = join(directory, `${name}.json`);
  writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o600 });
  const roles = Object.keys(ports);
  let running: RunningProcess | undefined;
  return {
    name,
    signal(signalName) {
      if (running !== undefined) process.kill(running.pid, signalName);
    },
    async end(how) {
      if (how === 'kill') this.signal('SIGKILL');
      await running?.stop();
      running = undefined;
    },
    async start() {
      running = await startProcess({
        name: `temporal-${name}`,
        home: directory,
        command: executable,
        args: ['--config-file', file, 'start', ...roles.flatMap((role) => ['--service', role])],
        ready: (signal) => until(() => isListening(ports), signal),
        readyTimeoutMs,
        stopTimeoutMs,
      });
    },
  };
}

/** Temporal's worker takes none of ours, but it talks with the others of the cluster too. */
async function isListening(ports: ProcessPorts): Promise<boolean> {
  const listening = Object.entries(ports).map(([role, { grpc, membership }]) => acceptsConnections(role === 'worker' ? membership : grpc));
  return (await Promise.all(listening)).every(Boolean);
}
