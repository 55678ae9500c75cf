import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { intentDirectory, projectRoot } from '../local/paths.ts';
import { endWithUs } from '../local/process/end-with-us.ts';
import { StackError } from '../local/stack-error.ts';
import { startStack } from '../local/stack.ts';
import type { RunningStack } from '../local/stack.ts';
import { preferredPorts } from '../local/stack-ports.ts';
import { listenForStop } from './stop-signals.ts';
import { createWaitingLine } from './waiting-line.ts';

const line = createWaitingLine(process.stdout);
const { log, wait } = line;

/** Runs the stack in the foreground until told to stop. Returns the exit code. Throws `StackError` for what a person can mend. */
export async function start({ fresh, example }: { fresh: boolean; example: boolean }): Promise<number> {
  const directory = intentDirectory();
  // The processes end with us.
  const told = listenForStop(() => process.exit(130));
  const beganAt = performance.now();
  log(`Starting the local stack in ${directory}`);
  try {
    const stack = await startStack({ directory, ports: preferredPorts, fresh, log, wait, signal: told.signal }).finally(line.end);
    return await serve(stack, { example: example ? join(directory, 'stack.json') : undefined, beganAt, told: told.stopped });
  } catch (error) {
    if (!told.signal.aborted) throw error;
    log('Stopped.');
    return 0;
  }
}

async function serve(stack: RunningStack, how: { example: string | undefined; beganAt: number; told: Promise<void> }): Promise<number> {
  const { info, failed } = stack;
  log(`Ready after ${((performance.now() - how.beganAt) / 1000).toFixed(1)} s: ${info.apiUrl}`);
  const ended = Promise.race([how.told, failed]);
  try {
    if (how.example !== undefined) await Promise.race([playExample(how.example), ended]);
    const failure = await ended;
    if (failure instanceof StackError) throw failure;
    log('\nStopping …');
    return 0;
  } finally {
    await stack.stop();
    log('Stopped. The data is kept for the next start.');
  }
}

/**
 * As any client: in a process of its own, with nothing but the addresses in stack.json. A failed example leaves the stack up,
 * which is what the person needs to find out why.
 */
async function playExample(stackFile: string): Promise<void> {
  log('\nThe example, through the real flow:');
  const child = spawn(process.execPath, [join(projectRoot, 'examples', 'walkthrough.ts'), stackFile], { stdio: 'inherit', detached: true });
  endWithUs(child);
  const [code] = (await once(child, 'exit')) as [number | null];
  log(code === 0 ? '\nCtrl-C stops everything.' : '\nThe example failed. The stack is still up; Ctrl-C stops it.');
}
