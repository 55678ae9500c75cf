// A lock between processes as a file that names its holders. `npm start` and `npm test` may be typed at the same moment: only one of
// them may install packages, and only one may build Temporal. Plain JavaScript, because the bootstrap runs before Node 24 is there.
import { appendFileSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

// The holder may die without a trace, so that no event tells that the lock is free: look this often.
const pollMs = 200;

/**
 * Runs `work` while this process holds the lock. A lock whose holders are all dead is taken over.
 * @template T
 * @param {string} path
 * @param {(holder: string) => void} onWait called once, with the holder's process id, where somebody else holds the lock
 * @param {(alsoHeldBy: (pid: number) => void) => Promise<T>} work hands on the ids of children that may outlive this process
 * @returns {Promise<T>}
 */
export async function withFileLock(path, onWait, work) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryLock(path)) {
    const holder = liveHolder(path);
    if (holder === undefined) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) onWait(holder);
    told = true;
    await delay(pollMs);
  }
  try {
    return await work((pid) => appendFileSync(path, `${pid}\n`));
  } finally {
    rmSync(path, { force: true });
  }
}

// A link appears together with its content; a file opened with O_EXCL would be seen empty for a moment.
function tryLock(path) {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, `${process.pid}\n`);
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function liveHolder(path) {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean).find(isAlive);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
