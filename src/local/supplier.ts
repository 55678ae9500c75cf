import { join } from 'node:path';
import { projectRoot } from './paths.ts';
import { type RunningProcess, startProcess } from './process/start-process.ts';
import { answersOk, until } from './process/until.ts';

const readyTimeoutMs = 20_000;
const stopTimeoutMs = 2_000;

export interface SupplierProcess extends RunningProcess {
  readonly url: string;
}

/** Runs the example's supplier as the service of somebody else that it stands for. `home`: the directory of this stack. */
export async function startSupplierProcess(home: string, port: number): Promise<SupplierProcess> {
  const url = `http://127.0.0.1:${port}`;
  const supplier = await startProcess({
    name: 'supplier',
    home,
    command: process.execPath,
    args: [join(projectRoot, 'examples', 'supplier', 'main.ts')],
    env: { PATH: process.env['PATH'], PORT: String(port) },
    ready: (signal) => until(() => answersOk(`${url}/healthz`), signal),
    readyTimeoutMs,
    stopTimeoutMs,
  });
  return { ...supplier, url };
}
