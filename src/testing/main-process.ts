import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, vi } from 'vitest';
import { clusterVariables } from './cluster/cluster-variables.ts';
import type { TestDatabase } from './database.ts';
import { endWithFile } from './end-with-file.ts';
import { chooseTestPort } from './test-port.ts';

export interface MainProcess {
  /** What it answers at its health port; undefined if it does not. */
  get(path: string): Promise<Response | undefined>;
  ready(): Promise<void>;
  /** What it has logged so far. */
  readonly lines: readonly Record<string, unknown>[];
  /** Its exit code; null if a signal has ended it. */
  readonly exited: Promise<number | null>;
  /** Ends it, and returns its exit code. */
  stop(): Promise<number | null>;
}

/** Worker or pump as it runs in production: a process of its own, with its settings from the environment. (`built`: from there.) */
export async function startMainProcess(
  name: 'worker' | 'command-pump',
  database: Pick<TestDatabase, 'urlFor'>,
  env: Readonly<Record<string, string>>,
  built?: string,
): Promise<MainProcess> {
  const port = await chooseTestPort();
  const child = spawn(process.execPath, [built === undefined ? `src/main/${name}.ts` : `${built}/main/${name}.js`], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.urlFor('intent_worker'),
      PUMP_DATABASE_URL: database.urlFor('intent_pump'),
      HEALTH_PORT: String(port),
      LOG_LEVEL: 'debug',
      ...clusterVariables(),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithFile(child);
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
  return {
    get,
    ready: () => vi.waitFor(async () => expect((await get('/readyz'))?.status).toBe(200), { timeout: 60_000, interval: 50 }),
    lines,
    exited,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
