import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { StackError } from '../stack-error.ts';
import { endWithUs, killGroup } from './end-with-us.ts';
import { openProcessLog } from './process-log.ts';
import type { ProcessLog } from './process-log.ts';
import { removeProcessRecord, writeProcessRecord } from './process-record.ts';

export interface ProcessOptions {
  /** Names the log `logs/<name>.log` and the record `run/<name>.json`. */
  readonly name: string;
  /** The directory of this stack (`.intent`). */
  readonly home: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the process. (Default: ours.) */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Resolves when the process does its work; must give up when the signal aborts. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  readonly readyTimeoutMs: number;
  /** What asks the process to end. (Default: SIGTERM.) */
  readonly stopSignal?: NodeJS.Signals;
  /** How long it may take to end before it is killed. */
  readonly stopTimeoutMs: number;
  /** What a person may try, besides reading the log, when it does not come up. */
  readonly hint?: string;
}

export interface ProcessExit {
  readonly name: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether it ended because `stop` was called. */
  readonly expected: boolean;
  readonly lastLines: readonly string[];
  readonly logFile: string;
}

export interface RunningProcess {
  readonly pid: number;
  /** Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Idempotent. Resolves when the process has ended. */
  stop(): Promise<void>;
}

/** Starts a part of the stack as a process and waits until it is ready. Throws `StackError` when it does not come up. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { name, home } = options;
  const log = openProcessLog(join(home, 'logs'), name);
  const child = await spawnChild(options, log);
  let stopping: Promise<void> | undefined;
  const exited = once(child, 'close').then((): ProcessExit => {
    removeProcessRecord(join(home, 'run'), name);
    log.close();
    const { exitCode: code, signalCode: signal } = child;
    return { name, code, signal, expected: stopping !== undefined, lastLines: log.lastLines(), logFile: log.file };
  });
  const stop = () => (stopping ??= endChild(child, exited, options));

  try {
    await untilReady(options, exited, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid!, exited, stop };
}

/** The error that tells a person about a process that ended by itself. */
export function exitError(exit: ProcessExit, hint?: string): StackError {
  const how = exit.signal === null ? `with code ${exit.code}` : `by ${exit.signal}`;
  return new StackError(`${exit.name} ended unexpectedly, ${how}.${quote(exit.lastLines)}`, remedy(exit.logFile, hint));
}

async function spawnChild(options: ProcessOptions, log: ProcessLog): Promise<ChildProcess> {
  const { command, args, env, cwd, uid, gid, name } = options;
  const child = spawn(command, args, {
    env: env ?? process.env,
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: a terminal's Ctrl-C reaches only us, and we stop the parts in their order.
    detached: true,
    windowsHide: true,
  });
  log.follow(child.stdout);
  log.follow(child.stderr);
  if (child.pid !== undefined) register(child, child.pid, options);
  try {
    await once(child, 'spawn');
  } catch (cause) {
    log.close();
    const message = `${name} could not be started: ${(cause as Error).message}`;
    throw new StackError(message, `Check that ${command} exists and may be run.`, { cause });
  }
  return child;
}

/** In the same tick as the spawn: a process that nobody knows of could be left behind. */
function register(child: ChildProcess, pid: number, { name, home, command, args, stopSignal = 'SIGTERM' }: ProcessOptions): void {
  endWithUs(child);
  writeProcessRecord(join(home, 'run'), name, { pid, command: [command, ...args].join(' '), stopSignal });
}

async function untilReady(options: ProcessOptions, exited: Promise<ProcessExit>, log: ProcessLog): Promise<void> {
  const { name, ready, readyTimeoutMs, hint } = options;
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), readyTimeoutMs);
  const timedOut = new Promise<never>((_, reject) => {
    const late = () => {
      const message = `${name} was not ready within ${readyTimeoutMs / 1000} s.${quote(log.lastLines())}`;
      reject(new StackError(message, remedy(log.file, hint)));
    };
    giveUp.signal.addEventListener('abort', late, { once: true });
  });
  const died = exited.then((exit) => Promise.reject(exitError(exit, hint)));
  timedOut.catch(() => {});
  died.catch(() => {});
  try {
    await Promise.race([ready(giveUp.signal), timedOut, died]);
  } finally {
    clearTimeout(timer);
    giveUp.abort();
  }
}

async function endChild(child: ChildProcess, exited: Promise<ProcessExit>, options: ProcessOptions): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(options.stopSignal ?? 'SIGTERM');
    const timer = setTimeout(() => killGroup(child), options.stopTimeoutMs);
    await exited;
    clearTimeout(timer);
  }
  // What it started itself has no business outliving it.
  killGroup(child);
  await exited;
}

function remedy(logFile: string, hint: string | undefined): string {
  return hint === undefined ? `Read its log: ${logFile}` : `Read its log: ${logFile}. ${hint}`;
}

function quote(lines: readonly string[]): string {
  return lines.length === 0 ? '' : ` It said last:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
