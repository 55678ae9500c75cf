import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { postgresUrl } from '../../src/local/postgres/postgres-url.ts';
import { StackError } from '../../src/local/stack-error.ts';
import { claimsOf, createTenant, openBudget, submitAs } from '../../src/testing/tenant.ts';

const port = 54_322;
const pauseMs = 20;
const longestWaitMs = 120_000;

export interface Load {
  /** Resolves when all that was sent so far, and one more, has succeeded. Returns how many that are. Throws if it takes too long. */
  settled(): Promise<number>;
  /** Sends one after the other, each until it is taken, beside what else is done. */
  start(): void;
  pause(): Promise<void>;
  /** Ends it. Throws if anything is missing or there twice. */
  finish(): Promise<void>;
}

/** Members' commands in the containers' database, by SQL, as PostgREST would send them. */
export async function createLoad(password: string): Promise<Load> {
  const admin = new pg.Pool({ connectionString: postgresUrl({ user: 'supabase_admin', password }, { port }, 'postgres'), max: 2, connectionTimeoutMillis: 2_000 });
  // Sessions end when the server is killed.
  admin.on('error', () => {});
  admin.on('connect', (client) => client.on('error', () => {}));
  const tenant = await createTenant(admin);
  const claims = claimsOf(tenant, 'owner');
  let sent = 0;
  let sending: Promise<void> | undefined;
  let isPaused = false;

  async function send(): Promise<void> {
    const command = { commandId: randomUUID(), ...openBudget(`budget-${sent}`) };
    await untilDone(async () => (await submitAs(admin, claims, command), true));
    sent += 1;
  }

  async function count(statement: string): Promise<number> {
    const { rows } = await admin.query<{ count: number }>(statement, [tenant.tenantId]);
    return rows[0]!.count;
  }

  return {
    async settled() {
      await send();
      await untilDone(async () => (await count(`select count(*)::int from intent.commands where tenant_id = $1 and status = 'succeeded'`)) === sent);
      return sent;
    },
    start() {
      isPaused = false;
      sending = (async () => {
        while (!isPaused) {
          await send();
          await sleep(pauseMs);
        }
      })();
      sending.catch(() => {});
    },
    async pause() {
      isPaused = true;
      await sending;
    },
    async finish() {
      const commands = await count('select count(*)::int from intent.commands where tenant_id = $1');
      const events = await count('select count(*)::int from intent.events where tenant_id = $1');
      const positions = await count('select count(distinct position)::int from intent.events where tenant_id = $1 and position between 1 and (select count(*) from intent.events where tenant_id = $1)');
      await admin.end();
      if (commands !== sent || events !== sent || positions !== sent) {
        throw new StackError(`Of ${sent} commands ${commands} are there, with ${events} events at ${positions} positions.`, 'Something was lost, or was done twice: this is a fault of ours.');
      }
    },
  };
}

/** Tries again if it throws, too: servers are being killed. */
export async function untilDone(attempt: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + longestWaitMs;
  for (;;) {
    const outcome = await attempt().catch((error: unknown) => error);
    if (outcome === true) return;
    if (performance.now() > deadline) {
      throw new StackError(`Not done within ${longestWaitMs / 1000} s${outcome === false ? '' : `: ${String(outcome)}`}.`, 'Read the logs of the containers.');
    }
    await sleep(100);
  }
}
