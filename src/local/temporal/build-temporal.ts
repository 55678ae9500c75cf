import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { executableOnPath } from './executable-on-path.ts';
import type { ObtainTemporal } from './find-temporal.ts';
import { temporalVersion } from './temporal-version.ts';

const progressMs = 5_000;
const quotedLines = 3;

export interface TemporalBuildOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
}

/** Builds the CLI from source with the Go that is on the PATH; Go gets the sources from its module proxy. */
export function createTemporalBuild({ env, log }: TemporalBuildOptions): ObtainTemporal {
  return async (executable, alsoHeldBy) => {
    const go = executableOnPath('go', env['PATH'] ?? '');
    if (!go) return 'no build from source: Go is not installed';
    const directory = `${executable}.building`;
    const startedAt = performance.now();
    const seconds = () => Math.round((performance.now() - startedAt) / 1000);
    log('building Temporal from source, usually two to five minutes, once …');
    const progress = setInterval(() => log(`building Temporal from source, usually two to five minutes: ${seconds()} s`), progressMs);
    try {
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      const failure = await goInstall(go, { ...env, GOBIN: directory }, alsoHeldBy);
      if (failure !== undefined) return `no build from source: ${failure}`;
      await rename(join(directory, basename(executable)), executable);
      log(`built Temporal in ${seconds()} s`);
      return undefined;
    } catch (error) {
      return `no build from source: ${(error as Error).message}`;
    } finally {
      clearInterval(progress);
      await rm(directory, { recursive: true, force: true });
    }
  };
}

async function goInstall(go: string, env: NodeJS.ProcessEnv, alsoHeldBy: (pid: number) => void): Promise<string | undefined> {
  const child = spawn(go, ['install', `github.com/temporalio/cli/cmd/temporal@${temporalVersion}`], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.once('spawn', () => alsoHeldBy(child.pid!));
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0 ? undefined : output.trim().split('\n').slice(-quotedLines).join('; ');
}
