// The first process of the namespaces that private-engine.ts makes: the engine, the images, the checks. When it ends, all ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { endWithWords } from '../../src/local/end-with-words.ts';
import { until } from '../../src/local/process/until.ts';
import { StackError } from '../../src/local/stack-error.ts';
import { makeBaseImages } from './base-images.ts';
import { checkContainers } from './check-containers.ts';
import { checkFallback } from './check-test-server.ts';
import { type Engine, findCompose } from './engine.ts';
import { bringProxyInside } from './forward-proxy.ts';
import { say } from './progress.ts';
import { isInstalled, run } from './run.ts';

const { INTENT_CONTAINERS_WORK: work = '', INTENT_CONTAINERS_CGROUP: cgroup = '', INTENT_CONTAINERS_TEMPORAL: temporal = '' } = process.env;
const startTimeoutMs = 60_000;

process.stdin.once('end', () => process.exit(1)).resume();
// The first process of a namespace ends at no signal that it does not ask for.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

await endWithWords(async () => {
  // Of our own: containerd keeps sockets there whose names others would share.
  await run('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  await run('ip', ['link', 'set', 'lo', 'up']);
  process.env['DOCKER_HOST'] = 'unix:///run/docker.sock';
  process.env['DOCKER_CONFIG'] = join(work, 'docker-config');
  // The builder that is in every engine.
  process.env['DOCKER_BUILDKIT'] = '0';
  let stop = await startDaemon();
  say('The engine runs.');

  const engine: Engine = {
    env: process.env,
    compose: findCompose()!,
    buildArgs: waysOut(await bringProxyInside(join(work, 'proxy.sock'))),
    async restart() {
      await stop();
      stop = await startDaemon();
    },
  };
  await checkFallback(engine);
  await makeBaseImages({ work, temporal });
  return checkContainers(engine);
});
process.exit();

/** Returns what stops it as a restart of the machine does. */
async function startDaemon(): Promise<() => Promise<void>> {
  const args = ['--data-root', join(work, 'docker'), '--host', process.env['DOCKER_HOST']!, '--cgroup-parent', cgroup, '--exec-opt', 'native.cgroupdriver=cgroupfs'];
  const log = join(work, 'dockerd.log');
  const daemon = spawn('dockerd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(daemon, 'close');
  daemon.stderr.pipe(createWriteStream(log, { flags: 'a' }));
  const answers = until(() => Promise.resolve(isInstalled('docker', 'version')), AbortSignal.timeout(startTimeoutMs)).then(() => true, () => false);
  if (!(await Promise.race([answers, ended.then(() => false)]))) {
    throw new StackError(`dockerd does not start. It said:\n${await run('tail', ['-n', '15', log])}`, 'Mend what it names; `dockerd` by hand says the same.');
  }
  return async () => {
    daemon.kill('SIGTERM');
    await ended;
  };
}

/** For the build alone, which shares the engine's network; npm reads the first two, apt the last. */
function waysOut(proxy: string): string[] {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];
  return ['--network', 'host', ...names.flatMap((name) => ['--build-arg', `${name}=${proxy}`])];
}
