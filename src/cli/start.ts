import { playWalkthrough } from '../../examples/walkthrough.ts';
import { intentDirectory } from '../local/paths.ts';
import { StackError } from '../local/stack-error.ts';
import { startStack } from '../local/stack.ts';
import type { RunningStack } from '../local/stack.ts';
import { preferredPorts } from '../local/stack-ports.ts';
import { listenForStop } from './stop-signals.ts';

const log = (line: string) => console.log(line);

/** Runs the stack in the foreground until told to stop. Answers the exit code. Throws `StackError` for what a person can mend. */
export async function start({ fresh, example }: { fresh: boolean; example: boolean }): Promise<number> {
  const directory = intentDirectory();
  // The processes end with us.
  const told = listenForStop(() => process.exit(130));
  const beganAt = performance.now();
  log(`Starting the local stack in ${directory}`);
  try {
    const stack = await startStack({ directory, ports: preferredPorts, fresh, log, signal: told.signal });
    return await serve(stack, { example, beganAt, told: told.stopped });
  } catch (error) {
    if (!told.signal.aborted) throw error;
    log('Stopped.');
    return 0;
  }
}

async function serve(stack: RunningStack, how: { example: boolean; beganAt: number; told: Promise<void> }): Promise<number> {
  const { info, failed } = stack;
  log(`Ready after ${((performance.now() - how.beganAt) / 1000).toFixed(1)} s: ${info.apiUrl}`);
  const ended = Promise.race([how.told, failed]);
  try {
    if (how.example) await Promise.race([playExample(stack), ended]);
    const failure = await ended;
    if (failure instanceof StackError) throw failure;
    log('\nStopping …');
    return 0;
  } finally {
    await stack.stop();
    log('Stopped. The data is kept for the next start.');
  }
}

/** A failed example is told and leaves the stack up: it is what the person needs to find out why. */
async function playExample({ info }: RunningStack): Promise<void> {
  log('\nThe example, through the real flow:');
  try {
    await playWalkthrough(info, log);
    log('\nCtrl-C stops everything.');
  } catch (error) {
    log(`The example failed: ${(error as Error).stack}`);
  }
}
