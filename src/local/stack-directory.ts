import { accessSync, constants, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './stack-error.ts';

const mebibyte = 1024 * 1024;
const minFreeBytes = 512 * mebibyte;

/** Makes the directory of a stack if it is missing. Throws `StackError` if it cannot be used or the disk is nearly full. */
export function openStackDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new StackError(
      `${directory} cannot be written: ${(cause as Error).message}`,
      'Change its rights, or set INTENT_DIR to a directory that may be written.',
      { cause },
    );
  }
  const { bavail, bsize } = statfsSync(directory);
  const freeBytes = bavail * bsize;
  if (freeBytes < minFreeBytes) {
    const [free, needed] = [freeBytes, minFreeBytes].map((bytes) => Math.floor(bytes / mebibyte));
    throw new StackError(
      `Only ${free} MiB are free on the disk of ${directory}; a stack needs ${needed}.`,
      'Free some space, or set INTENT_DIR to a directory on another disk.',
    );
  }
}

/** Everything that a stack keeps; what else lies in `.intent` (a running test's directory, say) stays. */
export function deleteStackData(directory: string): void {
  for (const name of ['postgres', 'temporal', 'secrets.json', 'stack.json', 'last-seen', 'logs', 'run']) {
    rmSync(join(directory, name), { recursive: true, force: true });
  }
}
