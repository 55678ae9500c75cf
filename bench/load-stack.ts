import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createUser } from '../src/local/gateway/seed-user.ts';
import { preferredPorts } from '../src/local/stack-ports.ts';
import { startStack } from '../src/local/stack.ts';
import { createScratchDirectory } from '../src/testing/scratch-directory.ts';
import { residentMebibytes } from './worker-memory.ts';
import { type LoadPlan, type Sent, sendLoad, type Stream } from './send-load.ts';

const password = 'bench';
/** Fewer than the connections that the gateway takes from one client. */
const maxInFlight = 300;

export type Pace = { readonly atOnce: number } | { readonly perSecond: number };

export interface LoadStack {
  readonly admin: pg.Client;
  readonly tenantIds: readonly string[];
  /** A stream for the owner of each tenant, the first one's first. */
  send(paces: readonly Pace[], plan: Pick<LoadPlan, 'ms' | 'waitSeconds'>): Promise<readonly Sent[]>;
  /** MiB of each process that a command goes through, but for the servers. */
  memory(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** The whole stack, with tenants of its own. The gateway runs in this process. */
export async function startLoadStack(tenantCount: number): Promise<LoadStack> {
  const scratch = await createScratchDirectory();
  const stack = await startStack({ directory: scratch.path, ports: preferredPorts, fresh: false, log: () => {} });
  const { apiUrl, publishableKey, databaseUrl } = stack.info;
  const admin = new pg.Client({ connectionString: databaseUrl });
  const stop = async () => {
    await admin.end();
    await stack.stop();
    scratch.remove();
  };
  try {
    await admin.connect();
    const tenantIds: string[] = [];
    for (let n = 0; n < tenantCount; n += 1) {
      const userId = await createUser(admin, { email: emailOf(n), password });
      // The user's id is as good an id for the tenant.
      await admin.query('select intent.create_tenant($1, $2)', [userId, `Load ${n}`]);
      await admin.query(`select intent.add_member($1, $1, 'owner')`, [userId]);
      tenantIds.push(userId);
    }
    const pids = ['worker', 'edge-function', 'postgrest'].map((name) => [name, readPid(join(scratch.path, 'run', `${name}.json`))] as const);
    return {
      admin,
      tenantIds,
      async send(paces, { ms, waitSeconds }) {
        const streams = await Promise.all(paces.map(async (pace, n): Promise<Stream> => ({ name: String(n), token: await signIn(apiUrl, publishableKey, n), ...pace })));
        return sendLoad({ apiUrl, publishableKey, streams, ms, waitSeconds, maxInFlight });
      },
      memory: () => ({ gateway: residentMebibytes(process.pid), ...Object.fromEntries(pids.map(([name, pid]) => [name, residentMebibytes(pid)])) }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function signIn(apiUrl: string, apikey: string, n: number): Promise<string> {
  const response = await fetch(`${apiUrl}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey, 'content-type': 'application/json' },
    body: JSON.stringify({ email: emailOf(n), password }),
  });
  const { access_token: token } = (await response.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`The sign-in was answered with ${response.status}.`);
  return token;
}

function emailOf(n: number): string {
  return `owner-${n}@load.example`;
}

function readPid(file: string): number {
  return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
}
