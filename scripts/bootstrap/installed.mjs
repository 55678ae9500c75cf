import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Whether node_modules is what package-lock.json asks for. npm writes node_modules/.package-lock.json when an install has ended, so
 * a killed one is noticed, and an install that a person made by hand counts. Times of files are not looked at: git sets them anew.
 */
export function isInstalled(root, lock) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = Object.entries(lock.packages).filter(([path]) => path !== '');
  // npm leaves out what is for other platforms.
  const complete = wanted.every(([path, entry]) => entry.optional || sameVersion(installed[path], entry));
  return complete && Object.entries(installed).every(([path, entry]) => sameVersion(lock.packages[path], entry));
}

function sameVersion(one, other) {
  return one !== undefined && one.version === other.version && one.integrity === other.integrity;
}
