// `npm run chaos`: see options.ts for what it takes, and docs/reliability.md for what it has found.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listenForStop } from '../src/cli/stop-signals.ts';
import { endWithWords } from '../src/local/end-with-words.ts';
import { intentDirectory } from '../src/local/paths.ts';
import { hostedLayouts } from '../src/testing/hosted-layout.ts';
import { newSeed } from '../src/testing/random.ts';
import { describeViolation } from './checker/violation.ts';
import { help, listFaults, type Options, readOptions, UsageError } from './options.ts';
import { parseTimeline, planSteps, type Step } from './plan.ts';
import { type Report, runChaos } from './runner.ts';

/** The others are mostly the same once more. */
const shownViolations = 30;
const directory = join(intentDirectory(), 'chaos');

await endWithWords(main);

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${help}`);
    return 2;
  }
  if (options.show !== undefined) {
    console.log(options.show === 'help' ? help : listFaults());
    return 0;
  }
  return run(options);
}

async function run(options: Options): Promise<number> {
  const { signal } = listenForStop(() => process.exit(130));
  const beganAt = performance.now();
  const log = (line: string) => console.log(`${((performance.now() - beganAt) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
  const { seed, nextStep } = choose(options);
  const [layoutName, layout] = options.isHosted ? Object.entries(hostedLayouts)[seed % Object.keys(hostedLayouts).length]! : [];
  if (layoutName !== undefined) log(`as a hosted project: ${layoutName}`);
  const name = [seed, ...modesOf(options)].join('-');
  const logsTo = join(directory, `${name}-logs`);
  const stack = { isEmbedded: options.isEmbedded, layout, isPooled: options.isPooled, isCluster: options.isCluster };
  const report = await runChaos({ seed, nextStep, stack, signal, log, logsTo, keep: options.keep });
  log(summary(report));
  if (report.violations.length === 0) return 0;
  report.violations.slice(0, shownViolations).forEach((found) => console.log(`  ${describeViolation(found)}`));
  console.log(`Logs: ${logsTo}\nRepeat it: npm run chaos -- ${modesOf(options).map((mode) => `--${mode} `).join('')}--replay ${saveTimeline(report, name)}`);
  return 1;
}

function choose({ replay, minutes, seed = newSeed(), faultNames }: Options): { seed: number; nextStep: () => Step | undefined } {
  if (replay !== undefined) {
    const timeline = parseTimeline(readFileSync(replay, 'utf8'));
    const steps = [...timeline.steps];
    return { seed: timeline.seed, nextStep: () => steps.shift() };
  }
  const steps = planSteps(seed, faultNames);
  let endsAt: number | undefined;
  return {
    seed,
    nextStep() {
      // The time that the servers need to come up does not count.
      endsAt ??= performance.now() + minutes * 60_000;
      return performance.now() < endsAt ? steps.next().value : undefined;
    },
  };
}

function modesOf({ isEmbedded, isHosted, isPooled, isCluster }: Options): string[] {
  const modes = { embedded: isEmbedded, hosted: isHosted, pooled: isPooled, cluster: isCluster };
  return Object.entries(modes).flatMap(([mode, isOn]) => (isOn ? [mode] : []));
}

function summary({ timeline, commands, events, restsMs, violations }: Report): string {
  const rests = [...restsMs].map(([name, times]) => `${name} ×${times.length}: at most ${(Math.max(...times) / 1_000).toFixed(1)} s`);
  const counts = `${timeline.steps.length} faults, ${commands} commands, ${events} events, ${violations.length} violations`;
  return [`seed ${timeline.seed}: ${counts}. To rest:`, ...rests].join('\n  ');
}

function saveTimeline({ timeline }: Report, name: string): string {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name}.json`);
  writeFileSync(file, `${JSON.stringify(timeline, null, 2)}\n`);
  console.log(JSON.stringify(timeline));
  return file;
}
