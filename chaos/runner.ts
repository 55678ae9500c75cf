import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../src/testing/random.ts';
import { throughProxy } from '../src/testing/tcp-proxy.ts';
import { check } from './checker/check.ts';
import type { Evidence } from './checker/evidence.ts';
import { readStored } from './checker/read-evidence.ts';
import { type Violation, violation } from './checker/violation.ts';
import type { Fault, FaultContext } from './faults/fault.ts';
import { faults } from './faults/faults.ts';
import { createHouseholds, type Household } from './load/household.ts';
import { type Load, startLoad } from './load/load.ts';
import type { Step, Timeline } from './plan.ts';
import { untilRest } from './rest.ts';
import { type ChaosStack, type StackOptions, startChaosStack } from './stack/stack.ts';

/** Of load after the heal: what comes in while the system finds its feet again. */
const afterHealMs = 300;
const plain: StackOptions = { isEmbedded: false, layout: undefined, isPooled: false, isCluster: false };

export interface RunOptions {
  readonly seed: number;
  /** Undefined ends the run. Asked for before each step. */
  readonly nextStep: () => Step | undefined;
  /** (Default: two pumps and two workers on a plain server) */
  readonly stack?: StackOptions;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Where the logs of the processes go; those of a run that fails, and of any with `keep`. */
  readonly logsTo: string;
  readonly keep: boolean;
}

export interface Report {
  /** What was done, to be repeated. */
  readonly timeline: Timeline;
  readonly commands: number;
  readonly events: number;
  /** From a heal to rest, by fault. */
  readonly restsMs: ReadonlyMap<string, readonly number[]>;
  readonly violations: readonly Violation[];
}

/**
 * Breaks and mends, one fault after the other under load, until a promise is broken, the steps end, or the
 * signal aborts. Rest that comes late is a violation too, and the run goes on.
 */
export async function runChaos({ seed, nextStep, stack: stackOptions = plain, signal, log, logsTo, keep }: RunOptions): Promise<Report> {
  const households: Household[] = [];
  const stack = await startChaosStack(stackOptions, async (admin) => void households.push(...(await createHouseholds(admin))));
  // Until it is known to have gone well.
  let isKept = true;
  try {
    const databaseUrl = throughProxy(stack.database.urlFor('authenticator'), stack.clients);
    const load = await startLoad({ databaseUrl, households, seed });
    try {
      await stack.ready();
      log(`seed ${seed}: the stack is up`);
      const report = await runSteps({ stack, load, households, seed, nextStep, signal, log });
      isKept = keep || report.violations.length > 0;
      return report;
    } finally {
      await load.stop();
    }
  } finally {
    await stack.stop(isKept ? logsTo : undefined);
  }
}

interface Running extends Omit<RunOptions, 'keep' | 'logsTo' | 'stack'> {
  readonly stack: ChaosStack;
  readonly load: Load;
  readonly households: readonly Household[];
}

async function runSteps(running: Running): Promise<Report> {
  const { seed, nextStep, signal, log } = running;
  const steps: Step[] = [];
  const restsMs = new Map<string, number[]>();
  const late: Violation[] = [];
  let evidence = await gather(running);
  let broken: readonly Violation[] = [];
  for (let step = nextStep(); step !== undefined && broken.length === 0 && !signal.aborted; step = nextStep()) {
    const fault = faults.get(step.fault);
    if (fault === undefined) throw new Error(`There is no fault ${step.fault}.`);
    const notes: string[] = [];
    const tookMs = await breakAndMend(running, fault, step, (text) => notes.push(text)).catch((error: unknown) => String(error));
    // Who asks to stop does not wait for rest, and without rest there is nothing to check.
    if (signal.aborted) break;
    steps.push(step);
    if (typeof tookMs === 'string') {
      // A process that is not ready within a minute, say.
      broken = [violation('F', 'what was broken did not come back', `${fault.name}: ${tookMs}`)];
      break;
    }
    restsMs.set(fault.name, [...(restsMs.get(fault.name) ?? []), tookMs]);
    evidence = await gather(running);
    broken = check(evidence);
    const isLate = tookMs > fault.restWithinMs;
    const came = `${fault.name}: after ${seconds(tookMs)}, not ${seconds(fault.restWithinMs)}`;
    if (isLate) late.push(violation('F', 'rest came late', came));
    const rest = `${isLate ? 'LATE at' : 'at'} rest after ${seconds(tookMs)}`;
    const counts = `${evidence.commands.length} commands, ${evidence.events.length} events, ${broken.length} violations`;
    const line = [seconds(step.holdMs), ...notes, rest, counts].join(', ');
    log(`${String(steps.length).padStart(4)}  ${fault.name.padEnd(28)} ${line}`);
  }
  const { commands, events } = evidence;
  return { timeline: { seed, steps }, commands: commands.length, events: events.length, restsMs, violations: [...late, ...broken] };
}

/** Returns how long it took from the heal to rest, in ms. */
async function breakAndMend(
  { stack, load, signal }: Running,
  fault: Fault,
  { warmUpMs, holdMs, seed }: Step,
  note: FaultContext['note'],
): Promise<number> {
  load.resume();
  await sleep(warmUpMs);
  const heal = await fault.inject({ stack, random: createRandom(seed), holdMs, note });
  await sleep(holdMs);
  await heal();
  const healedAt = performance.now();
  await sleep(afterHealMs);
  await load.pause();
  await untilRest(stack.database.admin, load.followers, signal);
  return Math.round(performance.now() - healedAt);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

async function gather({ stack, load, households }: Running): Promise<Evidence> {
  const stored = await readStored(stack.database.admin);
  const tenants = households.map(({ tenantId, members }) => ({ tenantId, userIds: Object.values(members) }));
  return { tenants, submissions: load.submissions, followers: load.followers, ...stored };
}
