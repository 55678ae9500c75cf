import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadStack } from './load-stack.ts';
import { quantile } from './quantile.ts';
import { round, toRow, type Row } from './row.ts';
import type { Sent } from './send-load.ts';

const benchmark = 'load';
const overloadMs = 60_000;
const shortestMs = 6_000;
const times = 10;
/** What tenants may submit in all, as an operator limits them: of what the machine can do. */
const allowedShare = 0.7;
const lookMs = 250;
const longestRecoveryMs = 60_000;

/** Ten times as much as can be served, from every tenant alike, each limited by `intent.set_limits`. */
export async function overload(stack: LoadStack, capacity: number, scale: number): Promise<Row[]> {
  const { tenantIds } = stack;
  for (const tenantId of tenantIds) {
    await stack.admin.query('select intent.set_limits($1, $2, null)', [tenantId, Math.max(1, Math.floor((capacity * allowedShare) / tenantIds.length))]);
  }
  const ms = Math.max(shortestMs, overloadMs * scale);
  const pace = { perSecond: (capacity * times) / tenantIds.length };
  const memory = watchMemory(stack, ms);
  const sent = await stack.send(tenantIds.map(() => pace), { ms, waitSeconds: 0 });
  const recoveredAfterMs = await untilServedAgain(stack);
  const growth = await memory.stop();
  const accepted = sent.filter(({ status }) => status === 202 || status === 200);
  const refused = sent.filter(({ status }) => status === 429 || status === 503);
  const tried = sent.filter(({ status }) => status !== 'held back');
  const at = `${times} × ${round(capacity)} commands/s for ${round(ms / 1000)} s`;
  return [
    toRow({
      benchmark,
      measured: `${at}: answered with 202, 429 or 503, of those sent`,
      values: [((accepted.length + refused.length) / tried.length) * 100],
      unit: ' %',
      goal: { atLeast: 100 },
      figures: `${countByStatus(sent)}; refusals p50 ${round(quantile(timesOf(refused), 0.5))}, p99 ${round(quantile(timesOf(refused), 0.99))} ms`,
    }),
    toRow({
      benchmark,
      measured: 'then: acknowledged commands without their one outcome, or without its one event',
      values: [await countLost(stack, accepted)],
      unit: '',
      goal: { atMost: 0 },
      figures: `of ${accepted.length}`,
    }),
    toRow({ benchmark, measured: 'then: until nothing waits', values: [recoveredAfterMs / 1000], unit: ' s', goal: { atMost: 10 } }),
    toRow({
      benchmark,
      measured: 'memory at the end of it : after a quarter of it, of the process that grew most',
      values: [Math.max(...Object.values(growth).map(({ quarter, end }) => end / quarter))],
      goal: { atMost: 1.25 },
      figures: Object.entries(growth).map(([name, { quarter, end }]) => `${name} ${quarter} → ${end} MiB`).join(', '),
    }),
  ];
}

function watchMemory(stack: LoadStack, ms: number) {
  const quarter = sleep(ms / 4).then(() => stack.memory());
  const end = sleep(ms).then(() => stack.memory());
  return {
    async stop() {
      const [before, after] = await Promise.all([quarter, end]);
      return Object.fromEntries(Object.entries(after).map(([name, mebibytes]) => [name, { quarter: before[name]!, end: mebibytes }]));
    },
  };
}

/** From the end of the load, whose last answers are in, to the moment when every command has ended. */
async function untilServedAgain({ admin }: LoadStack): Promise<number> {
  const beganAt = performance.now();
  for (;;) {
    const { rows } = await admin.query<{ open: boolean }>('select exists (select from intent.commands where completed_at is null) as open');
    const tookMs = performance.now() - beganAt;
    if (rows[0]?.open === false || tookMs > longestRecoveryMs) return tookMs;
    await sleep(lookMs);
  }
}

async function countLost({ admin }: LoadStack, accepted: readonly Sent[]): Promise<number> {
  const { rows } = await admin.query<{ whole: number }>(
    `select count(*)::int as whole
     from intent.commands as c
     where c.command_id = any ($1) and c.status = 'succeeded'
       and (select count(*) from intent.events as e where e.tenant_id = c.tenant_id and e.aggregate_id = c.aggregate_id) = 1`,
    [accepted.map(({ commandId }) => commandId)],
  );
  return accepted.length - rows[0]!.whole;
}

function countByStatus(sent: readonly Sent[]): string {
  const counts = Object.entries(Object.groupBy(sent, ({ status }) => String(status))).map(([status, all]) => `${status}: ${all?.length ?? 0}`);
  return counts.toSorted().join(', ');
}

function timesOf(sent: readonly Sent[]): number[] {
  return sent.length === 0 ? [Number.NaN] : sent.map(({ ms }) => ms);
}
