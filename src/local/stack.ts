import { join } from 'node:path';
import { checkClock, recordClock } from './clock.ts';
import { createParts, PortTaken } from './parts.ts';
import type { Parts } from './parts.ts';
import { endOrphans, killRecorded } from './process/process-record.ts';
import { loadSecrets } from './secrets.ts';
import { deleteStackData, openStackDirectory } from './stack-directory.ts';
import type { StackError } from './stack-error.ts';
import { removeStackInfo, writeStackInfo } from './stack-info.ts';
import type { StackInfo } from './stack-info.ts';
import { lockStack } from './stack-lock.ts';
import { chooseStackPorts, replaceTakenPorts } from './stack-ports.ts';
import type { StackPorts } from './stack-ports.ts';
import { type PartsContext, startParts } from './start-parts.ts';

/** Ports are chosen before they are bound, and another program may take one in between. */
const maxAttempts = 3;

/** After this long, stopping becomes killing: a person who pressed Ctrl-C has everything gone within 10 s. */
const politeStopMs = 8_000;

export interface StackOptions {
  /** Where this stack keeps all of its data. */
  readonly directory: string;
  readonly ports: StackPorts;
  /** Whether to delete the data of earlier starts first. */
  readonly fresh: boolean;
  readonly log: (line: string) => void;
  /** Told in words what is being waited for, and an empty text when nothing is. (Default: nobody is told.) */
  readonly wait?: (what: string) => void;
  /** Gives up the start. */
  readonly signal?: AbortSignal;
}

export interface RunningStack {
  readonly info: StackInfo;
  /** Resolves when a part has ended by itself: nothing works as it should any more, and the stack must be stopped. */
  readonly failed: Promise<StackError>;
  /** Everything, within 10 s. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts the whole stack and resolves when it executes commands. Throws `StackError` for what a person can mend, and the signal's
 * reason if the start was given up; nothing is left running then.
 */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const { directory, fresh, log, wait = () => {}, signal } = options;
  openStackDirectory(directory);
  const lock = lockStack(directory);
  const accepting = (info: StackInfo) => {
    writeStackInfo(directory, info);
    log(`Commands are taken already, at ${info.apiUrl}; they are executed when Temporal is there.`);
  };
  try {
    await endOrphans(runDirectory(directory), log);
    if (fresh) deleteStackData(directory);
    removeStackInfo(directory);
    checkClock(directory, new Date());
    const [secrets, ports] = [await loadSecrets(directory), await chooseStackPorts(options.ports, log)];
    signal?.throwIfAborted();
    const { info, parts } = await startOnFreePorts({ directory, ports, secrets, log, accepting }, wait, signal);
    recordClock(directory, new Date());
    writeStackInfo(directory, info);
    let stopping: Promise<void> | undefined;
    const stop = () => (stopping ??= stopParts(directory, parts).finally(() => lock.release()));
    return { info, failed: parts.failed, stop };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** If a part did not come up because somebody else has its port by now, all of it begins again on other ports. */
async function startOnFreePorts(context: Omit<PartsContext, 'parts'>, wait: (what: string) => void, signal: AbortSignal | undefined) {
  const { directory, log } = context;
  const isGivenUp = () => signal?.aborted === true;
  let { ports } = context;
  for (let attempt = 1; ; attempt += 1) {
    const parts = createParts(log, wait);
    try {
      const starting = startParts({ ...context, parts, ports });
      return { parts, info: await Promise.race([starting, failure(parts), aborted(signal)]) };
    } catch (error) {
      const again = error instanceof PortTaken && attempt < maxAttempts && !isGivenUp();
      if (again) log(`  ${error.message}`);
      // What is still starting would be taken for somebody else. It comes up, or ends, and is stopped then.
      if (again) await Promise.race([Promise.all([parts.stop(), parts.settled()]), aborted(signal)]).catch(() => {});
      await stopParts(directory, parts);
      const others = again && !isGivenUp() ? await replaceTakenPorts(ports, log) : undefined;
      if (others === undefined) throw error instanceof PortTaken ? error.cause : error;
      ports = others;
    }
  }
}

async function stopParts(directory: string, parts: Parts): Promise<void> {
  removeStackInfo(directory);
  const timer = setTimeout(() => killRecorded(runDirectory(directory)), politeStopMs);
  await parts.stop();
  // A part that was still starting is not among the parts yet; its process is recorded.
  await endOrphans(runDirectory(directory), () => {});
  clearTimeout(timer);
}

async function failure(parts: Parts): Promise<never> {
  throw await parts.failed;
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function runDirectory(directory: string): string {
  return join(directory, 'run');
}
