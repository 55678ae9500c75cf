import { randomUUID } from 'node:crypto';
import { createClient } from '@supabase/supabase-js';
import { createIntentClient } from '../src/client/index.ts';
import { preferredPorts } from '../src/local/stack-ports.ts';
import { startStack } from '../src/local/stack.ts';
import type { StackInfo } from '../src/local/stack-info.ts';
import { createScratchDirectory } from '../src/testing/scratch-directory.ts';
import { quantile } from './quantile.ts';
import { round, toRow, type Row } from './row.ts';

const warmUpCommands = 50;

/** Milliseconds from the client's call to the outcome in its hands, one command after another, each on a stream of its own. */
export async function flow({ scale }: { scale: number }): Promise<Row[]> {
  const scratch = await createScratchDirectory();
  const stack = await startStack({ directory: scratch.path, ports: preferredPorts, fresh: false, log: () => {} });
  try {
    const send = await signIn(stack.info);
    for (let n = 0; n < warmUpCommands; n += 1) await send();
    const sample: number[] = [];
    for (let n = 0; n < 500 * scale; n += 1) sample.push(await send());
    return [toRow({
      benchmark: 'flow',
      measured: `p50 of ${sample.length} commands, one after another, engine ${stack.info.engine}`,
      values: [quantile(sample, 0.5)],
      unit: ' ms',
      figures: `p95 ${round(quantile(sample, 0.95))} ms, p99 ${round(quantile(sample, 0.99))} ms`,
    })];
  } finally {
    await stack.stop();
    scratch.remove();
  }
}

async function signIn({ apiUrl, publishableKey, users }: StackInfo): Promise<() => Promise<number>> {
  const supabase = createClient(apiUrl, publishableKey, { auth: { persistSession: false } });
  const { error } = await supabase.auth.signInWithPassword(users[0]!);
  if (error !== null) throw error;
  const intent = createIntentClient(supabase);
  return async () => {
    const beganAt = performance.now();
    const result = await intent.send('PlaceOrder', {
      aggregateId: randomUUID(),
      payload: { budgetId: 'groceries', lines: [{ item: 'Bread', quantity: 1, unitPrice: 350 }] },
    });
    if (result.status !== 'succeeded') throw new Error(`A command ended as ${result.status}.`);
    return performance.now() - beganAt;
  };
}
