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
  /** Both: a worker with the pump inside. */
  readonly kinds: readonly ServiceKind[];
  readonly home: string;
  /** Of each kind's connections. */
  readonly databaseUrls: Readonly<Record<ServiceKind, string>>;
  readonly temporalPort: number;
  /** What Temporal's clients need besides the address. */
  readonly temporalEnvironment: Readonly<Record<string, string>>;
  readonly supplierUrl: string;
}

/** A pump or a worker as it runs in production, each behind proxies of its own, and started again whenever it ends. */
export interface Service {
  readonly name: string;
  readonly kinds: readonly ServiceKind[];
  /** Of its connections as this kind. */
  postgres(kind: ServiceKind): TcpProxy;
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

export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, kinds, home, databaseUrls, temporalPort, temporalEnvironment, supplierUrl } = options;
  const toPostgres = (kind: ServiceKind) => startTcpProxy({ host: '127.0.0.1', port: Number(new URL(databaseUrls[kind]).port) });
  const [pump, worker, temporal, healthPort] = await Promise.all([
    toPostgres('pump'),
    toPostgres('worker'),
    startTcpProxy({ host: '127.0.0.1', port: temporalPort }),
    chooseTestPort(),
  ]);
  const postgres: Record<ServiceKind, TcpProxy> = { pump, worker };
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
      args: [...first, join(projectRoot, 'src', 'main', kinds.includes('worker') ? 'worker.ts' : 'command-pump.ts')],
      cwd: projectRoot,
      env: {
        ...process.env,
        NODE_ENV: 'test',
        LOG_LEVEL: 'info',
        INTENT_ENGINE: 'temporal',
        INTENT_PUMP: kinds.length === 2 ? 'embedded' : 'separate',
        INTENT_TASK_QUEUES: '2',
        ...(kinds.includes('pump') && { PUMP_DATABASE_URL: throughProxy(databaseUrls.pump, pump) }),
        ...(kinds.includes('worker') && { DATABASE_URL: throughProxy(databaseUrls.worker, worker) }),
        ...temporalEnvironment,
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
    kinds,
    postgres: (kind) => postgres[kind],
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
      await Promise.all([pump.stop(), worker.stop(), temporal.stop()]);
    },
  };
}
