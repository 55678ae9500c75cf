import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './stack-error.ts';

const releasedAt = Date.parse('2026-11-01T00:00:00Z');
const toleranceMs = 60_000;

/**
 * Refuses a clock that is surely wrong: before this release, or before the time that this stack has seen last. Tokens, timers and
 * recorded times would all be off, and the errors that follow would not speak of the clock.
 */
export function checkClock(directory: string, now: Date): void {
  if (now.getTime() < releasedAt) {
    const message = `The clock says ${now.toISOString()}, which is before this software was made.`;
    throw new StackError(message, 'Set the clock of this machine.');
  }
  const lastSeen = readLastSeen(directory);
  if (lastSeen !== undefined && now.getTime() < lastSeen.getTime() - toleranceMs) {
    throw new StackError(
      `The clock says ${now.toISOString()}, but this stack has run at ${lastSeen.toISOString()} already.`,
      `Set the clock of this machine. If it is right now and was wrong then, delete ${file(directory)}.`,
    );
  }
}

export function recordClock(directory: string, now: Date): void {
  writeFileSync(file(directory), `${now.toISOString()}\n`);
}

function readLastSeen(directory: string): Date | undefined {
  try {
    const time = new Date(readFileSync(file(directory), 'utf8').trim());
    return Number.isNaN(time.getTime()) ? undefined : time;
  } catch {
    return undefined;
  }
}

function file(directory: string): string {
  return join(directory, 'last-seen');
}
