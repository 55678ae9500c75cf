import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../src/local/paths.ts';
import { StackError } from '../../src/local/stack-error.ts';
import { checkTestServer } from './check-test-server.ts';
import { type Composition, createComposition, servingServices } from './composition.ts';
import type { Engine } from './engine.ts';
import { createLoad, type Load, untilDone } from './load.ts';
import { say, timed } from './progress.ts';
import { run } from './run.ts';

/** With what means something else in an address. Its pieces must be in no log. */
const password = 'p@ssPf4/w:rd#zs8m';
const pieces = ['Pf4', 'zs8m'];
const variables = ['POSTGRES_PASSWORD', 'TEMPORAL_POSTGRES_PASSWORD', 'INTENT_PUMP_PASSWORD', 'INTENT_WORKER_PASSWORD', 'INTENT_OPERATOR_PASSWORD'];
/** Longer would mean that Compose kills what it stops. */
const longestStopSeconds = 20;

/** Builds the image and takes docker-compose.yml through its life. Answers the exit code. Throws `StackError` at the first fault. */
export async function checkContainers(engine: Engine): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'intent-compose-'));
  const environmentFile = join(directory, 'env');
  writeFileSync(environmentFile, variables.map((name) => `${name}='${password}'\n`).join(''), { mode: 0o600 });
  const composition = createComposition(engine, environmentFile);
  try {
    await build(engine);
    await checkTestServer(engine);
    await live(composition, engine);
    say('Everything held.');
    return 0;
  } catch (error) {
    say(`What the containers said last:\n${await composition.compose('logs', '--no-color', '--tail=15').catch((cause: Error) => cause.message)}`);
    throw error;
  } finally {
    await composition.compose('down', '--volumes').catch(() => {});
    rmSync(directory, { recursive: true });
  }
}

async function build({ env, buildArgs }: Engine): Promise<void> {
  const { seconds } = await timed(() => run('docker', ['build', ...buildArgs, '--tag', 'intent', projectRoot], { env }));
  const bytes = Number(await run('docker', ['image', 'inspect', '--format', '{{.Size}}', 'intent'], { env }));
  say(`The image is built: ${seconds} s, ${(bytes / 1e6).toFixed(0)} MB`);
}

async function live(composition: Composition, { restart }: Engine): Promise<void> {
  await up(composition);
  await expectLittleMay(composition);
  const load = await createLoad(password);
  await load.settled();
  say('A command went through the whole.');

  load.start();
  for (const service of servingServices()) await killMainProcess(composition, service);
  await settle(load, 'after every container was killed');
  if (restart !== undefined) await comeBackWithTheEngine(composition, load, restart);
  await expectNoPassword(composition);

  for (const ending of ['stop', 'down'] as const) {
    load.start();
    const { seconds } = await timed(() => composition.compose(ending));
    if (Number(seconds) > longestStopSeconds) throw new StackError(`\`${ending}\` took ${seconds} s: Compose has killed what it stopped.`, 'Look at depends_on.');
    say(`\`${ending}\` under load ended with 0 after ${seconds} s.`);
    await up(composition);
    await settle(load, `after \`${ending}\` and \`up\``);
  }
  await load.finish();
}

async function up(composition: Composition): Promise<void> {
  const { seconds } = await timed(async () => {
    await composition.compose('up', '--detach');
    for (const service of servingServices()) await untilDone(() => isHealthy(composition, service));
  });
  say(`All healthy after \`up\`: ${seconds} s`);
}

async function isHealthy(composition: Composition, service: string): Promise<boolean> {
  return (await composition.containerOf(service)).State.Health?.Status === 'healthy';
}

/** From outside of it, and not by `docker kill`, after which Docker leaves a container alone. */
async function killMainProcess(composition: Composition, service: string): Promise<void> {
  const before = await composition.containerOf(service);
  const kill = `process.kill(${before.State.Pid}, 'SIGKILL')`;
  await composition.docker('run', '--rm', '--pid', 'host', '--user', '0', 'intent', 'node', '-e', kill);
  const { seconds } = await timed(() =>
    untilDone(async () => {
      const { Id, RestartCount, State } = await composition.containerOf(service);
      return Id === before.Id && RestartCount > before.RestartCount && State.Running && State.Health?.Status === 'healthy';
    }),
  );
  say(`${service}: killed, and healthy again after ${seconds} s`);
}

async function comeBackWithTheEngine(composition: Composition, load: Load, restart: () => Promise<void>): Promise<void> {
  load.start();
  const { seconds } = await timed(async () => {
    await restart();
    for (const service of servingServices()) await untilDone(() => isHealthy(composition, service));
  });
  say(`The engine ended and began anew, and all is healthy: ${seconds} s`);
  await settle(load, 'after that');
}

async function settle(load: Load, when: string): Promise<void> {
  const { value: count, seconds } = await timed(async () => {
    await load.pause();
    return load.settled();
  });
  say(`All ${count} commands have succeeded ${when}, ${seconds} s later.`);
}

async function expectLittleMay({ containerOf, docker }: Composition): Promise<void> {
  for (const service of ['worker', 'command-pump']) {
    const { Id } = await containerOf(service);
    const look = `const fs = require('fs'); let wrote = true; try { fs.writeFileSync('/app/x', '') } catch { wrote = false }
      console.log(JSON.stringify({ wrote, user: process.getuid(), rights: /CapBnd:\\s*(\\w+)/.exec(fs.readFileSync('/proc/1/status', 'utf8'))[1] }))`;
    const found = JSON.parse(await docker('exec', Id, 'node', '-e', look)) as { wrote: boolean; user: number; rights: string };
    if (found.wrote || found.user === 0 || Number(`0x${found.rights}`) !== 0) {
      throw new StackError(`${service} may do more than it needs: ${JSON.stringify(found)}`, 'Look at read_only and cap_drop.');
    }
  }
}

async function expectNoPassword({ compose }: Composition): Promise<void> {
  const logged = (await compose('logs', '--no-color')).split('\n').filter((line) => pieces.some((piece) => line.includes(piece)));
  if (logged.length > 0) throw new StackError(`A password, or a part of one, was logged:\n${logged.join('\n')}`, 'This is a fault of ours.');
}
