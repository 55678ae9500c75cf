import { cacheDirectory } from '../cache-directory.ts';
import { createTemporalBuild } from './build-temporal.ts';
import { createTemporalDownload } from './download-temporal.ts';
import { findTemporal } from './find-temporal.ts';
import type { TemporalSearch } from './find-temporal.ts';

export interface LocateOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
}

/** Temporal's CLI on this machine; gets it into the cache where it is not there yet, which may take minutes. */
export function locateTemporal({ env, log }: LocateOptions): Promise<TemporalSearch> {
  return findTemporal({
    path: env['PATH'] ?? '',
    cacheDirectory: cacheDirectory(),
    download: createTemporalDownload(log),
    build: createTemporalBuild({ env, log }),
    log,
  });
}
