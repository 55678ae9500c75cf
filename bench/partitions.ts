import { behaviourIncludes, withIncludes } from '../src/testing/with-includes.ts';
import { appendOneEvent, createTenants, type Tenants } from './append-calls.ts';
import { claimMany, fillQueue } from './claim-calls.ts';
import { startBenchServer, type BenchDatabase } from './database.ts';
import { loadStream } from './load-calls.ts';
import { quantile } from './quantile.ts';
import { describeRates, measureRounds, ratios } from './rounds.ts';
import { round, toRow, type Row } from './row.ts';

const benchmark = 'partitions';
const tenantCount = 1_000;
const eventsPerStream = 10;
const eventCount = 5_000_000;
const settledCount = 200_000;
const waitingCount = 20_000;
const connections = 8;
const claimRounds = 6;

/** Events and commands in 16 partitions by hash(tenant_id) against plain tables, with the very same functions. */
export async function partitions({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const plain = await server.createDatabase('plain');
    const hashed = await server.createDatabase('hashed');
    await partition(hashed);
    const streams = (eventCount * scale) / tenantCount / eventsPerStream;
    const of = { plain: await fill(plain, streams, scale), hashed: await fill(hashed, streams, scale) };

    const loads = await measureRounds({ plain: loadStream(of.plain, streams), hashed: loadStream(of.hashed, streams) }, { connections, scale });
    const appends = await measureRounds({ plain: appendOneEvent(of.plain), hashed: appendOneEvent(of.hashed) }, { connections, scale });
    const row = (what: string, { plain: p, hashed: h }: typeof loads) =>
      toRow({ benchmark, measured: `${what}, 16 partitions : plain table`, values: ratios(h, p), figures: describeRates(h, p) });
    const among = `among ${eventCount * scale} events`;
    return [row(`appends ${among}`, appends), row(`loads ${among}`, loads), await claims(plain, hashed)];
  } finally {
    await server.stop();
  }
}

/** The tables are replaced while they are empty, and the functions laid again over the new ones. */
async function partition({ admin }: BenchDatabase): Promise<void> {
  await admin.query(`select bench.partition_by_tenant('events'), bench.partition_by_tenant('commands')`);
  await admin.query(`begin; ${withIncludes(behaviourIncludes)}; commit`);
}

async function fill(database: BenchDatabase, streams: number, scale: number): Promise<Tenants> {
  const of = await createTenants(database, tenantCount);
  await database.admin.query('select bench.fill_events($1, $2, $3)', [tenantCount, streams, eventsPerStream]);
  await database.admin.query(`select bench.fill_commands('succeeded', $1, $2, $1)`, [settledCount * scale, tenantCount]);
  await database.admin.query('vacuum analyze intent.events');
  return of;
}

/** Claims on one connection, A B A B …, from a queue over all tenants. */
async function claims(plain: BenchDatabase, hashed: BenchDatabase): Promise<Row> {
  for (const database of [plain, hashed]) await fillQueue(database, { waiting: waitingCount, tenants: tenantCount, aggregates: waitingCount });
  const rates = { plain: [] as number[], hashed: [] as number[] };
  for (let n = 0; n < claimRounds; n += 1) {
    for (const [name, database] of Object.entries({ plain, hashed }) as ['plain' | 'hashed', BenchDatabase][]) {
      rates[name].push(...(await claimMany(database, 10)).rates);
    }
  }
  return toRow({
    benchmark,
    measured: 'claimed commands, 16 partitions : plain table',
    values: rates.hashed.map((rate, n) => rate / rates.plain[n]!),
    figures: `${round(quantile(rates.hashed, 0.5))}/s : ${round(quantile(rates.plain, 0.5))}/s`,
  });
}
