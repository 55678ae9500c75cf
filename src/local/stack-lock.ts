import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { processIdentity } from './process/process-identity.ts';
import { StackError } from './stack-error.ts';
import { readStackInfo } from './stack-info.ts';

const holderSchema = z.object({ pid: z.number().int().positive(), identity: z.string() });

type Holder = z.infer<typeof holderSchema>;

export interface StackLock {
  release(): void;
}

/** One stack per directory. Throws `StackError` while another one runs; the lock of one that was killed is taken over. */
export function lockStack(directory: string): StackLock {
  const path = join(directory, 'stack.lock');
  while (!tryLock(path)) {
    const holder = readHolder(path);
    if (holder !== undefined && processIdentity(holder.pid) === holder.identity) throw alreadyRunning(directory, holder);
    removeStale(path, holder);
  }
  return { release: () => rmSync(path, { force: true }) };
}

/** A link appears together with its content; a file that is opened and then written would be seen empty for a moment. */
function tryLock(path: string): boolean {
  const own = `${path}.${process.pid}`;
  const holder: Holder = { pid: process.pid, identity: processIdentity(process.pid)! };
  writeFileSync(own, JSON.stringify(holder));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Moves it away first, and looks at what was moved: a second starter may have put its own lock there in between. */
function removeStale(path: string, stale: Holder | undefined): void {
  const moved = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, moved);
    if (readHolder(moved)?.identity !== stale?.identity) linkSync(moved, path);
  } catch {
    // Somebody else was quicker; the next attempt sees what is there now.
  } finally {
    rmSync(moved, { force: true });
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function alreadyRunning(directory: string, { pid }: Holder): StackError {
  const info = readStackInfo(directory);
  const where = info === undefined ? 'and is still starting' : `at ${info.apiUrl}`;
  return new StackError(
    `A stack runs already in ${directory} (pid ${pid}) ${where}.`,
    `Use it, or stop it with Ctrl-C in its terminal or \`kill ${pid}\`. For a second one beside it set INTENT_DIR.`,
  );
}
