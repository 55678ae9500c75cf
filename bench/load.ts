import { setTimeout as sleep } from 'node:timers/promises';
import { type LoadStack, startLoadStack } from './load-stack.ts';
import { overload } from './overload.ts';
import { quantile } from './quantile.ts';
import { round, toRow, type Row } from './row.ts';

const benchmark = 'load';
const quietTenants = 4;
const waitSeconds = 20;
const capacityMs = 10_000;
const commandsAtOnce = 24;
const rounds = 4;
const roundMs = 20_000;
const shortestRoundMs = 3_000;
/** Of what the machine can do: beyond, everybody waits for it. */
const loadShare = 0.5;
const hotShare = 0.9;

/** One tenant that makes most of the load, and ten times the load that can be served, over HTTP through the whole stack. */
export async function load({ scale }: { scale: number }): Promise<Row[]> {
  const stack = await startLoadStack(1 + quietTenants);
  try {
    const capacity = await measureCapacity(stack, scale);
    return [
      toRow({
        benchmark,
        measured: `commands from HTTP to their outcome, ${commandsAtOnce} at once, ${1 + quietTenants} tenants`,
        values: [capacity],
        unit: ' commands/s',
      }),
      await oneHotTenant(stack, capacity, scale),
      ...(await overload(stack, capacity, scale)),
    ];
  } finally {
    await stack.stop();
  }
}

/** Commands a second, from the second half of the time. */
async function measureCapacity(stack: LoadStack, scale: number): Promise<number> {
  const ms = Math.max(shortestRoundMs, capacityMs * scale);
  const paces = stack.tenantIds.map(() => ({ atOnce: Math.ceil(commandsAtOnce / stack.tenantIds.length) }));
  await stack.send(paces, { ms: shortestRoundMs, waitSeconds });
  const beganAt = performance.now();
  const sent = await stack.send(paces, { ms, waitSeconds });
  return sent.filter(({ status }) => status === 200).length / ((performance.now() - beganAt) / 1000);
}

async function oneHotTenant(stack: LoadStack, capacity: number, scale: number): Promise<Row> {
  const ms = Math.max(shortestRoundMs, roundMs * scale);
  const hot = { perSecond: capacity * loadShare * hotShare };
  const quiet = Array.from({ length: quietTenants }, () => ({ perSecond: (capacity * loadShare * (1 - hotShare)) / quietTenants }));
  const idle = { atOnce: 0 };
  const waited = { alone: [] as number[], beside: [] as number[] };
  for (let n = 0; n < rounds; n += 1) {
    for (const [name, first] of [['alone', idle], ['beside', hot]] as const) {
      const sent = await stack.send([first, ...quiet], { ms, waitSeconds });
      waited[name].push(...sent.filter(({ stream }) => stream !== '0').map(({ ms: took }) => took));
      await sleep(500);
    }
  }
  const describe = (sample: readonly number[]) => `p50 ${round(quantile(sample, 0.5))}, p99 ${round(quantile(sample, 0.99))} ms`;
  return toRow({
    benchmark,
    measured: `p99 of ${quietTenants} tenants while another one makes ${hotShare * 100} % of ${round(capacity * loadShare)} commands/s : their p99 alone`,
    values: [quantile(waited.beside, 0.99) / quantile(waited.alone, 0.99)],
    goal: { atMost: 2 },
    figures: `${describe(waited.beside)} : ${describe(waited.alone)}; ${waited.beside.length} : ${waited.alone.length} commands`,
  });
}
