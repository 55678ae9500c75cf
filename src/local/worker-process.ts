import { join } from 'node:path';
import { keepRunning } from './process/keep-running.ts';
import type { KeptProcess } from './process/keep-running.ts';
import { startProcess } from './process/start-process.ts';
import { answersOk, until } from './process/until.ts';
import { projectRoot } from './paths.ts';

/** It bundles the workflows first, which is slow on a busy machine. */
const readyTimeoutMs = 60_000;
const stopTimeoutMs = 4_000;

/**
 * Node's own limit is a share of the machine's memory, and the higher it is, the more garbage V8 lets lie: with 20 queues three
 * times what is in use. A gigabyte is ten times that, too (docs/adr/0011).
 */
export const workerHeap = ['--max-old-space-size=1024', '--max-semi-space-size=4'] as const;

/**
 * glibc keeps what has been freed: in arenas for the dozens of threads of Temporal's core, and the more of it, the larger the largest
 * block was. Two arenas, which give back what is over 128 KiB at their ends (docs/adr/0011). Read when a process starts.
 */
export const workerEnvironment = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' } as const;

export interface WorkerProcessOptions {
  /** The directory of this stack, for the log and the process record. */
  readonly home: string;
  /** As the role `intent_worker`. */
  readonly databaseUrl: string;
  /** As the role `intent_pump`. */
  readonly pumpDatabaseUrl: string;
  readonly temporal: { readonly address: string; readonly namespace: string } | undefined;
  readonly healthPort: number;
  readonly supplierUrl: string;
  readonly log: (line: string) => void;
}

/** Runs the worker with the pump in its process, where commands start eagerly. It is started again whenever it ends. */
export async function startWorkerProcess(options: WorkerProcessOptions): Promise<KeptProcess> {
  const { home, temporal, healthPort, log } = options;
  const engine = temporal
    ? { INTENT_ENGINE: 'temporal', TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace }
    : { INTENT_ENGINE: 'inline' };
  const start = () =>
    startProcess({
      name: 'worker',
      home,
      command: process.execPath,
      args: [...workerHeap, join(projectRoot, 'src', 'main', 'worker.ts')],
      cwd: projectRoot,
      env: {
        ...workerEnvironment,
        ...process.env,
        NODE_ENV: 'development',
        DATABASE_URL: options.databaseUrl,
        PUMP_DATABASE_URL: options.pumpDatabaseUrl,
        INTENT_PUMP: 'embedded',
        ...engine,
        HEALTH_PORT: String(healthPort),
        SUPPLIER_URL: options.supplierUrl,
        LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'info',
      },
      ready: (signal) => until(() => answersOk(`http://127.0.0.1:${healthPort}/readyz`), signal),
      readyTimeoutMs,
      stopTimeoutMs,
    });
  return keepRunning(start, log);
}
