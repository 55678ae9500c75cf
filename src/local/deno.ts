import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StackError } from './stack-error.ts';

const run = promisify(execFile);
const downloadTimeoutMs = 120_000;
/** With everything cached the look takes some 50 ms; what takes longer is a download, and worth a line. */
const quietMs = 500;

/** The path of the real Deno, from the npm package `deno`. Throws `StackError` if it has no binary for this platform. */
export function findDeno(): string {
  try {
    // The same call as in the package's own launcher, which cannot be used itself: it would not pass a signal on.
    const { runInstall } = createRequire(import.meta.url)('deno/install_api.cjs') as { runInstall(): string };
    return runInstall();
  } catch (cause) {
    throw new StackError(
      `The npm package deno has no Deno for ${process.platform} ${process.arch}.`,
      'Run `npm ci` without --omit=optional. Deno supports Linux (glibc), macOS and Windows, each on x64 and arm64.',
      { cause },
    );
  }
}

/** The environment in which Deno keeps its downloads in our cache and takes no notice of the project's package.json. */
export function denoEnvironment(cacheDirectory: string): NodeJS.ProcessEnv {
  return { ...process.env, DENO_DIR: join(cacheDirectory, 'deno'), DENO_NO_PACKAGE_JSON: '1', DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' };
}

/**
 * Downloads what `entryPoint` imports, in the versions of its lock file, if the cache lacks it.
 * Throws `StackError` if that fails.
 */
export async function fetchImports(entryPoint: string, cacheDirectory: string, log: (line: string) => void): Promise<void> {
  const announcement = setTimeout(() => log("Downloading the Edge Function's packages (about 10 s, once) …"), quietMs);
  try {
    await run(findDeno(), ['cache', '--quiet', '--frozen', '--node-modules-dir=none', entryPoint], {
      cwd: join(entryPoint, '..'),
      env: denoEnvironment(cacheDirectory),
      timeout: downloadTimeoutMs,
    });
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string };
    throw new StackError(
      `Deno could not get the Edge Function's packages: ${(stderr || message).trim().split('\n')[0]}`,
      'Check that the npm registry can be reached. If deno.lock is said to be out of date, restore it or run `deno install` in supabase/functions/command.',
      { cause },
    );
  } finally {
    clearTimeout(announcement);
  }
}
