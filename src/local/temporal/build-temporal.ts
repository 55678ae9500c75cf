import { join } from 'node:path';
import { executableName, executableOnPath } from './executable-on-path.ts';
import type { Obtained, Way } from './find-program.ts';
import { goInstall } from './go-install.ts';
import { goVersion } from './pinned-programs.ts';

export interface TemporalBuildOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  /** Told what it is at. */
  readonly tell?: (detail: string) => void;
}

/** Builds the CLI from source with the Go that is on the PATH; Go gets the sources from its module proxy. */
export function createTemporalBuild({ env, log, tell = () => {} }: TemporalBuildOptions): Way {
  const failed = (reason: string): Obtained => ({ reason: `no build from source: ${reason}` });
  return {
    version: `${goVersion}-go`,
    async obtain(directory, alsoHeldBy) {
      const go = executableOnPath('go', env['PATH'] ?? '');
      if (!go) return failed('Go is not installed');
      const startedAt = performance.now();
      log(`building Temporal ${goVersion} from source, usually two to nine minutes, once …`);
      tell('a build by Go, two to nine minutes');
      try {
        const failure = await goInstall(go, `github.com/temporalio/cli/cmd/temporal@v${goVersion}`, { ...env, GOBIN: directory }, alsoHeldBy);
        if (failure !== undefined) return failed(failure);
      } catch (error) {
        return failed((error as Error).message);
      }
      log(`built Temporal in ${Math.round((performance.now() - startedAt) / 1000)} s`);
      return { file: join(directory, executableName('temporal')) };
    },
  };
}
