import { join } from 'node:path';
import { denoEnvironment, fetchImports, findDeno } from './deno.ts';
import { projectRoot } from './paths.ts';
import { startProcess } from './process/start-process.ts';
import type { ProcessExit } from './process/start-process.ts';
import { until } from './process/until.ts';

const functionDirectory = join(projectRoot, 'supabase', 'functions', 'command');
const readyTimeoutMs = 20_000;
const stopTimeoutMs = 3_000;
const probeTimeoutMs = 1_000;

export interface EdgeFunctionOptions {
  /** The directory of this stack, for the log and the process record. */
  readonly home: string;
  readonly port: number;
  /** What the function calls for signing keys and the Data API: the gateway. It need not answer yet. */
  readonly supabaseUrl: string;
  readonly publishableKey: string;
  /** Of browsers that may call. */
  readonly allowedOrigins: readonly string[];
  readonly cacheDirectory: string;
  /** Where its spans go, by OpenTelemetry's variables. (Default: as this process's environment says.) */
  readonly otel?: Readonly<Record<string, string | undefined>>;
  readonly log: (line: string) => void;
}

export interface RunningEdgeFunction {
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  stop(): Promise<void>;
}

/**
 * Runs the Edge Function `command` under the real Deno on 127.0.0.1, with no permission but to listen on its port, call
 * `supabaseUrl` and the collector, and read its settings. Throws `StackError` when it does not come up.
 */
export async function startEdgeFunction(options: EdgeFunctionOptions): Promise<RunningEdgeFunction> {
  const { home, port, supabaseUrl, cacheDirectory, log } = options;
  await fetchImports(join(functionDirectory, 'index.ts'), cacheDirectory, log);

  const address = `127.0.0.1:${port}`;
  const url = `http://${address}/functions/v1/command`;
  const settings = functionSettings(options);
  const { pid, exited, stop } = await startProcess({
    name: 'edge-function',
    home,
    command: findDeno(),
    args: [
      'run',
      '--no-prompt',
      '--cached-only',
      '--frozen',
      '--node-modules-dir=none',
      `--allow-net=${[address, ...[supabaseUrl, ...collectorUrls(settings)].map(hostAndPort)].join(',')}`,
      `--allow-env=${Object.keys(settings).join(',')}`,
      'index.ts',
    ],
    cwd: functionDirectory,
    env: { ...denoEnvironment(cacheDirectory), ...settings, DENO_SERVE_ADDRESS: `tcp:${address}` },
    ready: (signal) => until(() => answers(url), signal),
    readyTimeoutMs,
    stopTimeoutMs,
  });
  return { url, pid, exited, stop };
}

const collectorVariables = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] as const;
const otelVariables = [...collectorVariables, 'OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_SDK_DISABLED', 'OTEL_SERVICE_NAME', 'OTEL_TRACES_SAMPLER_ARG'];

/** Every variable that the function reads is set, so that none of the same name comes through from our environment. */
function functionSettings({ supabaseUrl, publishableKey, allowedOrigins, otel = process.env }: EdgeFunctionOptions): Record<string, string> {
  return {
    ...Object.fromEntries(otelVariables.map((name) => [name, otel[name] ?? ''])),
    SUPABASE_URL: supabaseUrl,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    INTENT_JWT_ISSUER: '',
    INTENT_ALLOWED_ORIGINS: allowedOrigins.join(','),
  };
}

function collectorUrls(settings: Readonly<Record<string, string>>): string[] {
  return collectorVariables.map((name) => settings[name] ?? '').filter((url) => url !== '');
}

function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

/** A request without any effect, answered by the function itself. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: 'OPTIONS', signal: AbortSignal.timeout(probeTimeoutMs) });
    return response.ok;
  } catch {
    return false;
  }
}
