import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../../src/local/paths.ts';
import { type RunningProcess, startProcess } from '../../src/local/process/start-process.ts';
import { answersOk, until } from '../../src/local/process/until.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../../src/testing/tcp-proxy.ts';
import { chooseTestPort } from '../../src/testing/test-port.ts';

const restartPauseMs = 200;
const aliveTimeoutMs = 60_000;
const readyTimeoutMs = 60_000;
const stopTimeoutMs = 4_000;

export type ServiceKind = 'pump' | 'worker';

export interface ServiceOptions {
  readonly name: string;
  readonly kind: ServiceKind;
  readonly home: string;
  readonly databaseUrl: string;
  readonly temporalPort: number;
  readonly supplierUrl: string;
}

/** A pump or a worker as it runs in production, each behind proxies of its own, and started again whenever it ends. */
export interface Service {
  readonly name: string;
  readonly kind: ServiceKind;
  readonly postgres: TcpProxy;
  readonly temporal: TcpProxy;
  /** To the process that runs now. */
  signal(name: NodeJS.Signals): void;
  /** Ends the process and runs one in its place that loads this module first; the one after that is as always. */
  replace(preload: string): Promise<void>;
  /** Resolves when `/readyz` answers 200. Throws after a minute. */
  ready(): Promise<void>;
  /** How often it has ended by itself. */
  ends(): number;
  stop(): Promise<void>;
}

const programs: Record<ServiceKind, string> = { pump: 'command-pump.ts', worker: 'worker.ts' };

export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, kind, home, databaseUrl, temporalPort, supplierUrl } = options;
  const [postgres, temporal, healthPort] = await Promise.all([
    startTcpProxy({ host: '127.0.0.1', port: Number(new URL(databaseUrl).port) }),
    startTcpProxy({ host: '127.0.0.1', port: temporalPort }),
    chooseTestPort(),
  ]);
  const url = throughProxy(databaseUrl, postgres);
  const health = `http://127.0.0.1:${healthPort}`;
  const stopping = new AbortController();
  let preload: string | undefined;
  let ended = 0;

  function start(): Promise<RunningProcess> {
    const first = preload === undefined ? [] : ['--import', preload];
    preload = undefined;
    return startProcess({
      name,
      home,
      command: process.execPath,
      args: [...first, join(projectRoot, 'src', 'main', programs[kind])],
      cwd: projectRoot,
      env: {
        ...process.env,
        NODE_ENV: 'test',
        LOG_LEVEL: 'info',
        INTENT_ENGINE: 'temporal',
        INTENT_PUMP: 'separate',
        INTENT_TASK_QUEUES: '2',
        ...(kind === 'pump' ? { PUMP_DATABASE_URL: url } : { DATABASE_URL: url }),
        TEMPORAL_ADDRESS: `127.0.0.1:${temporal.port}`,
        TEMPORAL_NAMESPACE: 'default',
        SUPPLIER_URL: supplierUrl,
        HEALTH_PORT: String(healthPort),
      },
      // Alive, not ready: what it needs may be away just now.
      ready: (signal) => until(() => answersOk(`${health}/healthz`), signal),
      readyTimeoutMs: aliveTimeoutMs,
      stopTimeoutMs,
    });
  }

  let current = await start();
  const supervising = supervise();

  async function supervise(): Promise<void> {
    while (!stopping.signal.aborted) {
      await current.exited;
      if (stopping.signal.aborted) return;
      ended += 1;
      await startAgain();
    }
  }

  async function startAgain(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await sleep(restartPauseMs, undefined, { signal: stopping.signal });
        current = await start();
        return;
      } catch {
        // It died on its way up, as may be wanted: again.
      }
    }
  }

  return {
    name,
    kind,
    postgres,
    temporal,
    signal(signalName) {
      try {
        process.kill(current.pid, signalName);
      } catch {
        // It has just ended.
      }
    },
    async replace(module) {
      preload = module;
      const replaced = current;
      process.kill(replaced.pid, 'SIGKILL');
      await replaced.exited;
    },
    ready: () => until(() => answersOk(`${health}/readyz`), AbortSignal.any([AbortSignal.timeout(readyTimeoutMs), stopping.signal])),
    ends: () => ended,
    async stop() {
      stopping.abort();
      await current.stop();
      await supervising;
      await current.stop();
      await Promise.all([postgres.stop(), temporal.stop()]);
    },
  };
}
