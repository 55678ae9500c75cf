import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@supabase/supabase-js';
import pg from 'pg';
import { preferredPorts } from '../src/local/stack-ports.ts';
import { startStack } from '../src/local/stack.ts';
import type { StackInfo } from '../src/local/stack-info.ts';
import { createScratchDirectory } from '../src/testing/scratch-directory.ts';
import { joinTenant, type Listener } from './fan-out-listener.ts';
import { quantile } from './quantile.ts';
import { round, toRow, type Row } from './row.ts';

const fullClients = 500;
const fullEvents = 100;
/** 5,000 messages: gateway and clients share this process, and must not be what is late. */
const eventsPerSecond = 10;
const patienceMs = 30_000;

/** Members of one tenant, each on a socket of its own to one gateway: what reaches them of the tenant's events, and when. */
export async function fanOut({ scale }: { scale: number }): Promise<Row[]> {
  const [clients, events] = [Math.ceil(fullClients * scale), Math.ceil(fullEvents * scale)];
  const scratch = await createScratchDirectory();
  const stack = await startStack({ directory: scratch.path, ports: preferredPorts, fresh: false, log: () => {} });
  const admin = new pg.Client({ connectionString: stack.info.databaseUrl });
  await admin.connect();
  const listeners: Listener[] = [];
  try {
    const { tenantId, token } = await signIn(stack.info);
    // One after the other: a join is a look at the database, and what is measured comes later.
    for (let n = 0; n < clients; n += 1) listeners.push(await joinTenant({ ...stack.info, tenantId, token }));
    const sentAt = await append(admin, tenantId, events);
    const last = Math.max(...sentAt.keys());
    await Promise.race([Promise.all(listeners.map(({ reached }) => reached(last))), pause(patienceMs)]);
    return report(listeners, sentAt);
  } finally {
    for (const { close } of listeners) close();
    await admin.end();
    await stack.stop();
    scratch.remove();
  }
}

async function signIn({ apiUrl, publishableKey, users }: StackInfo) {
  const supabase = createClient(apiUrl, publishableKey, { auth: { persistSession: false, autoRefreshToken: false } });
  const { data, error } = await supabase.auth.signInWithPassword(users[0]!);
  if (error !== null) throw error;
  return { tenantId: users[0]!.tenants[0]!.tenantId, token: data.session.access_token };
}

/** When each position was sent. */
async function append(admin: pg.Client, tenantId: string, count: number): Promise<ReadonlyMap<number, number>> {
  const sentAt = new Map<number, number>();
  const event = { type: 'BudgetOpened', schemaVersion: 1, payload: { name: 'Bench', limit: 1 }, metadata: {} };
  for (let n = 0; n < count; n += 1) {
    const beganAt = performance.now();
    const { rows } = await admin.query<{ last_position: string }>(
      `select last_position from intent.append_events($1, 'budget', $2, null, $3)`,
      [tenantId, randomUUID(), JSON.stringify([event])],
    );
    sentAt.set(Number(rows[0]!.last_position), beganAt);
    await pause(1_000 / eventsPerSecond);
  }
  return sentAt;
}

function report(listeners: readonly Listener[], sentAt: ReadonlyMap<number, number>): Row[] {
  const sent = [...sentAt.keys()];
  const unlike = listeners.filter(({ heard }) => heard.map(({ position }) => position).join() !== sent.join()).length;
  const latencies = listeners.flatMap(({ heard }) => heard.map(({ position, at }) => at - (sentAt.get(position) ?? at)));
  const what = `${sent.length} events to ${listeners.length} clients of one gateway`;
  return [
    toRow({
      benchmark: 'fan-out',
      measured: `${what}: clients without exactly these events in their order`,
      values: [unlike],
      unit: '',
      goal: { atMost: 0 },
      figures: `${latencies.length} of ${sent.length * listeners.length} messages came`,
    }),
    toRow({
      benchmark: 'fan-out',
      measured: `${what}: append to message, p50`,
      values: [quantile(latencies, 0.5)],
      unit: ' ms',
      figures: `p99 ${round(quantile(latencies, 0.99))} ms, longest ${round(Math.max(...latencies))} ms, at ${eventsPerSecond} events a second`,
    }),
  ];
}
