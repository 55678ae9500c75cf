// `npm run measure:start`: how long a newcomer waits for `npm start`. Clones this repository (what is committed) into a temporary
// directory, with empty caches of npm, pip, Deno and ours and without a Temporal on the PATH, starts it until it is ready, stops it,
// and starts it once more. Prints the seconds of each line.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { endWithWords } from '../src/local/end-with-words.ts';
import { projectRoot } from '../src/local/paths.ts';
import { endWithUs } from '../src/local/process/end-with-us.ts';
import { StackError } from '../src/local/stack-error.ts';
import { isExecutable } from '../src/local/temporal/executable-on-path.ts';

const goalSeconds = { cold: 120, warm: 8 } as const;

const { values } = parseArgs({ options: { help: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } } });
if (values.help) {
  console.log('Usage: npm run measure:start [-- --keep]\n  --keep   leaves the clone and the caches, and says where.');
  process.exit(0);
}

const directory = mkdtempSync(join(tmpdir(), 'intent-measure-start-'));
const clone = join(directory, 'clone');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.on('exit', () => {
  if (values.keep) console.log(`Kept: ${directory}`);
  else rmSync(directory, { recursive: true, force: true });
});

await endWithWords(async () => {
  console.log(`${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}`);
  execFileSync('git', ['clone', '--quiet', projectRoot, clone]);
  const cold = await measure('cold');
  const warm = await measure('warm');
  console.log(`\ncold ${cold.toFixed(1)} s (goal: under ${goalSeconds.cold} on two idle cores), warm ${warm.toFixed(1)} s (goal: under ${goalSeconds.warm})`);
  return 0;
});

/** Starts the clone, stops it when it is ready, and returns the seconds to there. */
async function measure(name: string): Promise<number> {
  console.log(`\n${name}`);
  const beganAt = performance.now();
  const seconds = () => (performance.now() - beganAt) / 1000;
  const npm = spawn('npm', ['start', '--', '--no-example'], { cwd: clone, env: environment(), stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  endWithUs(npm);
  let readyAfter: number | undefined;
  for (const stream of [npm.stdout, npm.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (line !== '') console.log(`${seconds().toFixed(1).padStart(6)} s  ${line}`);
      if (!line.startsWith('Ready after')) return;
      readyAfter = seconds();
      process.kill(-npm.pid!, 'SIGINT');
    });
  }
  await once(npm, 'close');
  if (readyAfter === undefined) throw new StackError('It was never ready.', 'Read the lines above.');
  return readyAfter;
}

/** Of a newcomer. What npm has set for this script is not for that one. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INTENT_|TEMPORAL_)/i.test(name) && name !== 'INIT_CWD');
  const cache = (name: string) => join(directory, name);
  return {
    ...Object.fromEntries(own),
    PATH: (process.env['PATH'] ?? '').split(delimiter).filter((path) => !path.includes('node_modules')).map(withoutTemporal).join(delimiter),
    npm_config_cache: cache('npm'),
    PIP_CACHE_DIR: cache('pip'),
    INTENT_CACHE_DIR: cache('intent'),
  };
}

/** The same folder, or one with links to all else that is in it. */
function withoutTemporal(onPath: string, index: number): string {
  if (!isExecutable(join(onPath, 'temporal'))) return onPath;
  const links = join(directory, `path-${index}`);
  mkdirSync(links, { recursive: true });
  for (const name of readdirSync(onPath)) if (name !== 'temporal' && !existsSync(join(links, name))) symlinkSync(join(onPath, name), join(links, name));
  return links;
}
