import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { processIdentity } from './process-identity.ts';

/** One file for each running process of the stack, so that a start after a `kill -9` finds what the dead stack left behind. */
const processRecord = z.object({
  pid: z.number().int().positive(),
  identity: z.string(),
  command: z.string(),
  /** What asks it to end. */
  stopSignal: z.custom<NodeJS.Signals>((name) => typeof name === 'string' && name in constants.signals),
});

export type ProcessRecord = z.infer<typeof processRecord>;

const stopTimeoutMs = 5_000;
const killTimeoutMs = 5_000;
const pollMs = 25;

export function writeProcessRecord(runDirectory: string, name: string, started: Omit<ProcessRecord, 'identity'>): void {
  const identity = processIdentity(started.pid);
  // It has ended already: anyone who waits for it will say so.
  if (identity === undefined) return;
  mkdirSync(runDirectory, { recursive: true });
  const record: ProcessRecord = { ...started, identity };
  writeFileSync(recordFile(runDirectory, name), `${JSON.stringify(record)}\n`);
}

export function removeProcessRecord(runDirectory: string, name: string): void {
  rmSync(recordFile(runDirectory, name), { force: true });
}

/** Ends what a killed stack left running. A recorded pid that belongs to another process by now is left alone. */
export async function endOrphans(runDirectory: string, log: (line: string) => void): Promise<void> {
  await Promise.all(
    recordedNames(runDirectory).map(async (name) => {
      const record = readProcessRecord(runDirectory, name);
      if (record !== undefined && isRunning(record)) {
        log(`ending ${name} (pid ${record.pid}), left over from a stack that was killed`);
        await endProcess(record);
      }
      removeProcessRecord(runDirectory, name);
    }),
  );
}

/** At once and without waiting: for when asking politely has taken too long. */
export function killRecorded(runDirectory: string): void {
  for (const name of recordedNames(runDirectory)) {
    const record = readProcessRecord(runDirectory, name);
    if (record !== undefined && isRunning(record)) signal(record.pid, 'SIGKILL');
  }
}

function readProcessRecord(runDirectory: string, name: string): ProcessRecord | undefined {
  try {
    return processRecord.parse(JSON.parse(readFileSync(recordFile(runDirectory, name), 'utf8')));
  } catch {
    // Gone in between, or cut off by a crash: there is nothing that could be ended safely.
    return undefined;
  }
}

function isRunning(record: ProcessRecord): boolean {
  return processIdentity(record.pid) === record.identity;
}

async function endProcess(record: ProcessRecord): Promise<void> {
  signal(record.pid, record.stopSignal);
  if (await isGoneWithin(record, stopTimeoutMs)) return;
  signal(record.pid, 'SIGKILL');
  await isGoneWithin(record, killTimeoutMs);
}

/** Polls, because no event tells of the end of a process that is not one's own child. */
async function isGoneWithin(record: ProcessRecord, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isRunning(record)) {
    if (performance.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in between.
  }
}

function recordedNames(runDirectory: string): string[] {
  try {
    return readdirSync(runDirectory)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length));
  } catch {
    return [];
  }
}

function recordFile(runDirectory: string, name: string): string {
  return join(runDirectory, `${name}.json`);
}
