import { dirname, join } from 'node:path';
import { withFileLock } from '../../../scripts/file-lock.mjs';
import { executableName, executableOnPath, isExecutable } from './executable-on-path.ts';
import { temporalVersion } from './temporal-version.ts';

/** Brings the CLI to the path `executable`; answers nothing when it is there, and else why it cannot be had in this way. */
export type ObtainTemporal = (executable: string, alsoHeldBy: (pid: number) => void) => Promise<string | undefined>;

export interface TemporalSources {
  /** As the environment variable PATH. */
  readonly path: string;
  readonly cacheDirectory: string;
  readonly download: ObtainTemporal;
  readonly build: ObtainTemporal;
  readonly log: (line: string) => void;
}

export type TemporalSearch = { readonly executable: string } | { readonly executable: undefined; readonly reasons: readonly string[] };

/** Temporal's CLI from the PATH, else the cache, else downloaded, else built from source into the cache, whichever comes first. */
export async function findTemporal(sources: TemporalSources): Promise<TemporalSearch> {
  const { path, cacheDirectory, log } = sources;
  const installed = executableOnPath('temporal', path);
  if (installed) return { executable: installed };
  const cached = join(cacheDirectory, 'temporal', temporalVersion, executableName('temporal'));
  if (isExecutable(cached)) return { executable: cached };

  const lock = `${dirname(cached)}.lock`;
  const onWait = (holder: string) => log(`process ${holder} is getting Temporal; waiting for it (its lock: ${lock})`);
  return withFileLock(lock, onWait, (alsoHeldBy) => obtain(cached, sources, alsoHeldBy));
}

async function obtain(cached: string, sources: TemporalSources, alsoHeldBy: (pid: number) => void): Promise<TemporalSearch> {
  // Whoever held the lock before may have brought it.
  if (isExecutable(cached)) return { executable: cached };
  const reasons: string[] = [];
  for (const way of [sources.download, sources.build]) {
    const reason = await way(cached, alsoHeldBy);
    if (reason === undefined) return { executable: cached };
    reasons.push(reason);
  }
  return { executable: undefined, reasons };
}
