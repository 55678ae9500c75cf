import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Obtained, Way } from './find-program.ts';
import { temporalWheel } from './pinned-programs.ts';

const connectTimeoutMs = 10_000;
const source = 'https://temporal.download/';

export interface TemporalDownloadOptions {
  readonly log: (line: string) => void;
  /** Told what it is at. */
  readonly tell?: (detail: string) => void;
}

/** Lets Temporal's test library download the CLI. Gives up within 10 s if the download's host cannot be reached. */
export function createTemporalDownload({ log, tell = () => {} }: TemporalDownloadOptions): Way {
  const failed = (reason: string): Obtained => ({ reason: `no download: ${reason}` });
  const { version } = temporalWheel;
  return {
    version,
    async obtain(directory) {
      // The library itself waits without a bound.
      if (!(await isReachable())) return failed(`${source} cannot be reached`);
      log(`downloading Temporal ${version}, about 50 MB …`);
      tell('a download');
      try {
        await download(directory, version);
        const [file] = await readdir(directory);
        return file === undefined ? failed('the library left no file') : { file: join(directory, file) };
      } catch (error) {
        return failed((error as Error).message);
      }
    },
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
async function download(directory: string, version: string): Promise<void> {
  // Loaded here only: it brings a native module that takes half a second.
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const executable = { type: 'cached-download', downloadDir: directory, version: `v${version}` } as const;
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  await environment.teardown();
}
