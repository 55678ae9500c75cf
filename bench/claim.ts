import { startBenchServer } from './database.ts';
import { claimMany, fillQueue, findBatchOf } from './claim-calls.ts';
import { quantile } from './quantile.ts';
import { round, toRow, type Goal, type Row } from './row.ts';

const benchmark = 'claim';
const settledCount = 1_000_000;
const waitingCount = 100_000;
const tenantCount = 1_000;
const claims = 200;

/** Claims in batches of 100 from a queue of 100,000 behind a million settled commands, spread in three ways; and who is served next. */
export async function claim({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const database = await server.createDatabase('claim');
    const { admin } = database;
    const waiting = waitingCount * scale;
    await admin.query('select from bench.create_tenants($1)', [tenantCount + 1]);
    await admin.query(`select bench.fill_commands('succeeded', $1, $2, $1)`, [settledCount * scale, tenantCount]);

    const rows: Row[] = [];
    const spreads = [
      { name: 'over 1,000 tenants', tenants: tenantCount, aggregates: waiting, goal: { atLeast: 5_000 } },
      { name: 'all of one tenant', tenants: 1, aggregates: waiting, goal: { atLeast: 5_000 } },
      { name: 'all of one aggregate', tenants: 1, aggregates: 1, goal: undefined },
    ] satisfies { name: string; tenants: number; aggregates: number; goal: Goal | undefined }[];
    for (const { name, tenants, aggregates, goal } of spreads) {
      await fillQueue(database, { waiting, tenants, aggregates });
      const { rates, ms } = await claimMany(database, Math.ceil(claims * Math.max(scale, 0.1)));
      rows.push(toRow({
        benchmark,
        measured: `${waiting} waiting, ${name}`,
        values: rates,
        unit: ' commands/s',
        ...(goal && { goal }),
        figures: `a claim: p50 ${round(quantile(ms, 0.5))} ms, p99 ${round(quantile(ms, 0.99))} ms`,
      }));
      if (tenants === 1) rows.push(await fairness(name));
    }
    return rows;

    async function fairness(spread: string): Promise<Row> {
      return toRow({
        benchmark,
        measured: `claims until another tenant's only command is served, ${waiting} waiting, ${spread}`,
        values: [await findBatchOf(database, tenantCount + 1)],
        unit: '',
        goal: { atMost: 2 },
      });
    }
  } finally {
    await server.stop();
  }
}
