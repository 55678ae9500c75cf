import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endWithUs } from '../../src/local/process/end-with-us.ts';
import { StackError } from '../../src/local/stack-error.ts';
import { locateTemporal } from '../../src/local/temporal/locate-temporal.ts';
import { startForwardProxy } from './forward-proxy.ts';
import { say, timed } from './progress.ts';
import { requireMeansForAnEngine } from './requirements.ts';
import { run } from './run.ts';
import { createWorkDirectory } from './work-directory.ts';

const suite = 'bookworm';
/** What the checks of docker-compose.yml and our entry points ask for. */
const packages = ['netcat-openbsd', 'postgresql-client'];
/** What is mounted and started within ends with its first process, and that one with `unshare`. */
const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/**
 * Starts an engine for this run in namespaces of its own (network, mounts, processes), checks the containers on it, and removes
 * everything. Returns the exit code. Throws `StackError` for what a person can mend.
 */
export async function runInPrivateEngine(): Promise<number> {
  requireMeansForAnEngine();
  const work = createWorkDirectory();
  process.once('exit', work.remove);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

  say('No Docker engine runs here that can pull images: one is started for this run, with images that are made here.');
  const [temporal] = await Promise.all([findTemporal(), makeDebian(join(work.path, 'debian')), startForwardProxy(join(work.path, 'proxy.sock'))]);
  // Its end of the pipe closes when we end, however that happens, and then it ends too.
  const inside = spawn('unshare', ['--net', ...namespaces, process.execPath, join(import.meta.dirname, 'inside.ts')], {
    stdio: ['pipe', 'inherit', 'inherit'],
    detached: true,
    env: { ...process.env, INTENT_CONTAINERS_WORK: work.path, INTENT_CONTAINERS_CGROUP: work.cgroup, INTENT_CONTAINERS_TEMPORAL: temporal },
  });
  endWithUs(inside);
  const [code] = (await once(inside, 'close')) as [number | null];
  return code ?? 1;
}

async function findTemporal(): Promise<string> {
  const { executable, ...search } = await locateTemporal({ env: process.env, log: say });
  if (executable !== undefined) return executable;
  throw new StackError(`There is no Temporal to put into an image: ${JSON.stringify(search)}`, 'Install its CLI, so that `temporal` is on the PATH.');
}

async function makeDebian(directory: string): Promise<void> {
  const args = ['--variant=minbase', `--include=${packages.join(',')}`, suite, directory];
  const { seconds } = await timed(() => run('unshare', [...namespaces, 'debootstrap', ...args]));
  say(`Debian ${suite} by debootstrap: ${seconds} s`);
}
