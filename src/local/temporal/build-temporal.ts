import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { executableName, executableOnPath } from './executable-on-path.ts';
import type { Obtained, Way } from './find-program.ts';
import { goVersion } from './pinned-programs.ts';

const quotedLines = 3;

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
        const failure = await goInstall(go, { ...env, GOBIN: directory }, alsoHeldBy);
        if (failure !== undefined) return failed(failure);
      } catch (error) {
        return failed((error as Error).message);
      }
      log(`built Temporal in ${Math.round((performance.now() - startedAt) / 1000)} s`);
      return { file: join(directory, executableName('temporal')) };
    },
  };
}

async function goInstall(go: string, env: NodeJS.ProcessEnv, alsoHeldBy: (pid: number) => void): Promise<string | undefined> {
  const child = spawn(go, ['install', `github.com/temporalio/cli/cmd/temporal@v${goVersion}`], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.once('spawn', () => alsoHeldBy(child.pid!));
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0 ? undefined : output.trim().split('\n').slice(-quotedLines).join('; ');
}
