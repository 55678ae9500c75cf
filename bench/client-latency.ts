import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import pg from 'pg';
import { createIntentClient, type IntentClient } from '../src/client/index.ts';
import { preferredPorts } from '../src/local/stack-ports.ts';
import { startStack } from '../src/local/stack.ts';
import type { StackInfo } from '../src/local/stack-info.ts';
import { createScratchDirectory } from '../src/testing/scratch-directory.ts';
import { quantile } from './quantile.ts';
import { round, toRow, type Row } from './row.ts';

const warmUpEvents = 50;
const eventsPerSecond = 50;

/** Milliseconds from the call of `append_events` to the event applied by a client, at 50 events a second; and `api.hydrate` by HTTP. */
export async function clientLatency({ scale }: { scale: number }): Promise<Row[]> {
  const scratch = await createScratchDirectory();
  const stack = await startStack({ directory: scratch.path, ports: preferredPorts, fresh: false, log: () => {} });
  const admin = new pg.Client({ connectionString: stack.info.databaseUrl });
  await admin.connect();
  try {
    const { tenantId, supabase, intent } = await signIn(stack.info);
    const applied = await measureApplied(admin, intent, tenantId, warmUpEvents + Math.ceil(1_000 * scale));
    await admin.query(`select intent.save_snapshot($1, 'budget', 'bench', 1, 1, '{"status":"not_open"}')`, [tenantId]);
    const hydrations = await measureHydrate(supabase, scale);
    const directHydrations = await measureHydrate(await withoutGateway(stack.info, supabase), scale);
    return [
      latencyRow('append to applied, p50', applied, 0.5, 30),
      latencyRow('append to applied, p99', applied, 0.99, 150),
      latencyRow('hydrate with a snapshot, of PostgREST, p50', directHydrations, 0.5, 5),
      latencyRow('hydrate with a snapshot, through the local gateway, p50', hydrations, 0.5),
    ];
  } finally {
    await admin.end();
    await stack.stop();
    scratch.remove();
  }
}

async function signIn({ apiUrl, publishableKey, users }: StackInfo) {
  const supabase = createClient(apiUrl, publishableKey, { auth: { persistSession: false } });
  const { error } = await supabase.auth.signInWithPassword(users[0]!);
  if (error !== null) throw error;
  return { tenantId: users[0]!.tenants[0]!.tenantId, supabase, intent: createIntentClient(supabase) };
}

async function measureApplied(admin: pg.Client, intent: IntentClient, tenantId: string, count: number): Promise<number[]> {
  const beganAt = new Map<string, number>();
  const sample: number[] = [];
  const following = intent.followTenant();
  const measuring = (async () => {
    for await (const { aggregateId } of following) {
      if (sample.push(performance.now() - beganAt.get(aggregateId)!) === count) return;
    }
  })();
  await new Promise<void>((resolve) => following.subscribe(() => following.getSnapshot().connection.status === 'live' && resolve()));
  for (let n = 0; n < count; n += 1) {
    // The last one is the stream that is hydrated afterwards.
    const aggregateId = n === count - 1 ? 'bench' : randomUUID();
    beganAt.set(aggregateId, performance.now());
    await admin.query(`select from intent.append_events($1, 'budget', $2, null, $3)`, [
      tenantId,
      aggregateId,
      JSON.stringify([{ type: 'BudgetOpened', schemaVersion: 1, payload: { name: 'Bench', limit: 1 }, metadata: {} }]),
    ]);
    await pause(1_000 / eventsPerSecond);
  }
  await measuring;
  following.close();
  return sample.slice(warmUpEvents);
}

/** The same session, whose calls of PostgREST go there at once: the gateway, in this process with its client, is no part of a hosted project. */
async function withoutGateway({ apiUrl, publishableKey }: StackInfo, supabase: SupabaseClient): Promise<SupabaseClient> {
  const direct = createClient(apiUrl, publishableKey, {
    auth: { persistSession: false },
    global: {
      fetch(input, init) {
        const url = input instanceof Request ? input.url : input.toString();
        return fetch(url.replace(`${apiUrl}/rest/v1`, `http://127.0.0.1:${preferredPorts.postgrest}`), init);
      },
    },
  });
  const { data } = await supabase.auth.getSession();
  const { error } = await direct.auth.setSession(data.session!);
  if (error !== null) throw error;
  return direct;
}

async function measureHydrate(supabase: SupabaseClient, scale: number): Promise<number[]> {
  const sample: number[] = [];
  for (let n = 0; n < warmUpEvents + Math.ceil(1_000 * scale); n += 1) {
    const beganAt = performance.now();
    const { error } = await supabase.schema('api').rpc('hydrate', { aggregate_type: 'budget', aggregate_id: 'bench', state_version: 1 });
    if (error !== null) throw error;
    sample.push(performance.now() - beganAt);
  }
  return sample.slice(warmUpEvents);
}

function latencyRow(what: string, sample: readonly number[], q: number, atMost?: number): Row {
  return toRow({
    benchmark: 'client-latency',
    measured: `${what}, of ${sample.length}`,
    values: [quantile(sample, q)],
    unit: ' ms',
    ...(atMost !== undefined && { goal: { atMost } }),
    figures: `longest ${round(Math.max(...sample))} ms`,
  });
}
