import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where downloads and builds are kept between clones: `INTENT_CACHE_DIR`, else the platform's own place for caches. */
export function cacheDirectory(): string {
  const { INTENT_CACHE_DIR, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (INTENT_CACHE_DIR) return INTENT_CACHE_DIR;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'intent');
  if (process.platform === 'win32') return join(LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'intent');
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'intent');
}
