import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObtainTemporal } from './find-temporal.ts';
import { temporalVersion } from './temporal-version.ts';

const connectTimeoutMs = 10_000;
const source = 'https://temporal.download/';

/** Lets Temporal's test library download the CLI. Gives up within 10 s where the download's host cannot be reached. */
export function createTemporalDownload(log: (line: string) => void): ObtainTemporal {
  return async (executable) => {
    // The library itself waits without a bound.
    if (!(await isReachable())) return `no download: ${source} cannot be reached`;
    log(`downloading Temporal ${temporalVersion}, about 50 MB …`);
    const directory = `${executable}.downloading`;
    try {
      await mkdir(directory, { recursive: true });
      await download(directory);
      const [file] = await readdir(directory);
      if (file === undefined) return 'no download: the library left no file';
      await rename(join(directory, file), executable);
      return undefined;
    } catch (error) {
      return `no download: ${(error as Error).message}`;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };
}

async function isReachable(): Promise<boolean> {
  try {
    await fetch(source, { method: 'HEAD', signal: AbortSignal.timeout(connectTimeoutMs) });
    return true;
  } catch {
    return false;
  }
}

/** The library has no download without a start: a server runs for a moment. */
async function download(directory: string): Promise<void> {
  // Loaded here only: it brings a native module that takes half a second.
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const executable = { type: 'cached-download', downloadDir: directory, version: temporalVersion } as const;
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  await environment.teardown();
}
