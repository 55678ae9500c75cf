// Runs before `npm start` and `npm test`, on whatever Node the machine has: installs the packages where they are missing or are not
// those of package-lock.json, and is silent where there is nothing to do. It has no dependencies, because it is what brings them.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInstalled } from './bootstrap/installed.mjs';
import { npmCi } from './bootstrap/npm-ci.mjs';
import { checkNode, checkPlatform, checkPrograms, missingProgram } from './bootstrap/requirements.mjs';
import { Trouble, explainFileFault } from './bootstrap/trouble.mjs';
import { withFileLock } from './file-lock.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (line) => console.log(`bootstrap: ${line}`);

async function bootstrap() {
  checkNode(process.versions.node);
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  if (isReady(lock)) return;
  checkPlatform(lock, process);
  const path = join(root, '.intent', 'bootstrap.lock');
  const sayWhoInstalls = (holder) => say(`process ${holder} is installing the packages; waiting for it (its lock: ${path})`);
  await withFileLock(path, sayWhoInstalls, (alsoHeldBy) => install(lock, alsoHeldBy));
}

function isReady(lock) {
  return isInstalled(root, lock) && missingProgram(root, lock) === undefined;
}

async function install(lock, alsoHeldBy) {
  if (isReady(lock)) return;
  say('installing the packages of package-lock.json (npm ci), usually about a minute …');
  // So that an install that is killed half-way is never taken for a whole one.
  rmSync(join(root, 'node_modules', '.package-lock.json'), { force: true });
  await npmCi(root, { say, alsoHeldBy });
  checkPrograms(root, lock);
}

bootstrap().catch((fault) => {
  const error = explainFileFault(fault, root);
  const remedy = error instanceof Trouble ? error.remedy : 'This is not expected: please report it together with the line above.';
  console.error(`\nbootstrap: ${error.message}\n  What to do: ${remedy}\n`);
  process.exitCode = 1;
});
