import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll } from 'vitest';

const running = new Set<ChildProcess>();

// What a test starts and does not come to end, because it fails before, would keep the whole run from ending.
afterAll(async () => {
  const ended = [...running].map((child) => once(child, 'exit'));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ended);
});
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A process that a test file has started ends with it at the latest. */
export function endWithFile(child: ChildProcess): void {
  if (child.pid === undefined) return;
  running.add(child);
  child.once('exit', () => running.delete(child));
}
