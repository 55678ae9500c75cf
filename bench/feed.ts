import { randomInt } from 'node:crypto';
import pg from 'pg';
import { claimsOf, createTenant, type TestTenant } from '../src/testing/tenant.ts';
import { startBenchServer, type BenchDatabase } from './database.ts';
import { openLeanConnection } from './lean-connection.ts';
import { quantile } from './quantile.ts';
import { describeRates, measureRounds, ratios, type Variant } from './rounds.ts';
import { toRow, type Row } from './row.ts';

const benchmark = 'feed';
const eventCount = 1_000_000;
const eventsPerStream = 1_000;
const pageSize = 1_000;
/** Pages of either end, among which each call takes one. */
const pages = 20;
const connections = 2;
const hydrations = 1_000;
/** A snapshot is due at every 100 events: on average half of them come after it. */
const eventsAfterSnapshot = 50;

/** What a client that reads a long history pays for its last pages, and one that opens an aggregate. */
export async function feed({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const database = await server.createDatabase('feed');
    const events = eventCount * scale;
    const tenant = await fill(database, events / eventsPerStream);
    return [await lastPages(database, tenant, events, scale), await hydrate(database, tenant)];
  } finally {
    await server.stop();
  }
}

async function fill({ admin }: BenchDatabase, streams: number): Promise<TestTenant> {
  const { members } = await createTenant(admin);
  const { rows } = await admin.query<{ id: string }>('select id from bench.create_tenants(1) as id');
  const tenantId = rows[0]!.id;
  await admin.query(`select intent.add_member($1, $2, 'member')`, [tenantId, members.member]);
  await admin.query('select bench.fill_events(1, $1, $2)', [streams, eventsPerStream]);
  await admin.query(
    `select intent.save_snapshot($1, 'note', 'stream-1', $2, 1, jsonb_build_object('text', repeat('x', 1000)))`,
    [tenantId, eventsPerStream - eventsAfterSnapshot],
  );
  await admin.query('vacuum analyze');
  return { tenantId, members };
}

async function lastPages(database: BenchDatabase, tenant: TestTenant, events: number, scale: number): Promise<Row> {
  const readPageAfter = (position: () => number) => asMember(database, tenant, `select api.read_feed($1, ${pageSize})`, () => [String(position())]);
  const variants = {
    first: readPageAfter(() => randomInt(pages) * pageSize),
    last: readPageAfter(() => events - (1 + randomInt(pages)) * pageSize),
  };
  const { first, last } = await measureRounds(variants, { connections, scale });
  return toRow({
    benchmark,
    measured: `time of a page of ${pageSize}, the last ${pages} of ${events} events : the first ${pages}`,
    values: ratios(first, last),
    goal: { atMost: 1.2 },
    figures: describeRates(last, first),
  });
}

async function hydrate(database: BenchDatabase, tenant: TestTenant): Promise<Row> {
  const { url, statement, setUp, values } = asMember(database, tenant, `select api.hydrate('note', $1, 1)`, () => ['stream-1']);
  const connection = await openLeanConnection(url, statement, setUp?.(0));
  const times: number[] = [];
  try {
    for (let n = 0; n < hydrations; n += 1) {
      const beganAt = performance.now();
      await connection.run(values());
      times.push(performance.now() - beganAt);
    }
  } finally {
    await connection.close();
  }
  return toRow({
    benchmark,
    measured: `hydrate, a snapshot and ${eventsAfterSnapshot} events, p50`,
    values: [quantile(times, 0.5)],
    unit: ' ms',
    goal: { atMost: 5 },
    figures: `p99 ${quantile(times, 0.99).toFixed(2)} ms`,
  });
}

/** As PostgREST calls it. */
function asMember({ adminUrl }: BenchDatabase, tenant: TestTenant, statement: string, values: () => string[]): Variant {
  const claims = pg.escapeLiteral(JSON.stringify(claimsOf(tenant, 'member')));
  return { url: adminUrl, setUp: () => `set role authenticated; set request.jwt.claims = ${claims}`, statement, values };
}
