import { executableOnPath } from './executable-on-path.ts';
import { runBounded } from './run-bounded.ts';

/** The rest is Python's own start, which a busy machine makes slow. */
const versionTimeoutMs = 20_000;

const commands = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']] as const;

/** Where pip gets packages from, and how: a mirror, a proxy, certificates. */
const keptSettings = new Set(
  ['INDEX_URL', 'EXTRA_INDEX_URL', 'FIND_LINKS', 'NO_INDEX', 'TRUSTED_HOST', 'CERT', 'CLIENT_CERT', 'PROXY', 'KEYRING_PROVIDER', 'TIMEOUT',
    'DEFAULT_TIMEOUT', 'RETRIES', 'CACHE_DIR', 'NO_CACHE_DIR', 'CONFIG_FILE', 'USE_FEATURE', 'USE_DEPRECATED'].map((name) => `PIP_${name}`),
);

/** The first pip that works, as a command line. Undefined if there is none. */
export async function findPip(env: NodeJS.ProcessEnv, directory: string): Promise<readonly string[] | undefined> {
  for (const [name, ...args] of commands) {
    const program = executableOnPath(name, env['PATH'] ?? '');
    if (program === undefined) continue;
    const { code } = await runBounded(program, [...args, '--version'], { env, cwd: directory, isStalled: after(versionTimeoutMs) });
    if (code === 0) return [program, ...args];
  }
  return undefined;
}

export function findPython(env: NodeJS.ProcessEnv): string | undefined {
  return ['python3', 'python'].map((name) => executableOnPath(name, env['PATH'] ?? '')).find((program) => program !== undefined);
}

/**
 * What a person has set for pip's own sake (a virtual environment that it demands, another platform, constraints) must not decide
 * here. What pip leaves behind when it is killed lies in the directory.
 */
export function pipEnvironment(env: NodeJS.ProcessEnv, directory: string): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('PIP_') || keptSettings.has(name));
  return { ...Object.fromEntries(kept), PIP_REQUIRE_VIRTUALENV: '0', TMPDIR: directory, TEMP: directory, TMP: directory };
}

export function after(ms: number): () => boolean {
  const endsAt = performance.now() + ms;
  return () => performance.now() > endsAt;
}
