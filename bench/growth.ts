import { appendOneEvent, createTenants } from './append-calls.ts';
import { startBenchServer, type BenchServer } from './database.ts';
import { loadOf, loadStream } from './load-calls.ts';
import { describeRates, measureRounds, ratios, type Measured } from './rounds.ts';
import { toRow, type Row } from './row.ts';

const benchmark = 'growth';
const tenantCount = 1_000;
const eventsPerStream = 10;
const eventCount = 5_000_000;
const connections = 8;

/** Append and load among five million events against a table of ten thousand; a long stream with a snapshot against a short one. */
export async function growth({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    return [...(await manyEvents(server, scale)), await longStream(server, scale)];
  } finally {
    await server.stop();
  }
}

async function manyEvents(server: BenchServer, scale: number): Promise<Row[]> {
  const streams = (eventCount * scale) / tenantCount / eventsPerStream;
  const small = await filled(server, 'small', 1);
  const large = await filled(server, 'large', streams);
  const loads = await measureRounds({ small: loadStream(small, 1), large: loadStream(large, streams) }, { connections, scale });
  const appends = await measureRounds({ small: appendOneEvent(small), large: appendOneEvent(large) }, { connections, scale });
  const among = `among ${eventCount * scale} events : among ${tenantCount * eventsPerStream}`;
  return [
    timeRow(`time of an append, ${among}`, appends.large, appends.small, 1.3),
    timeRow(`time of a load of ${eventsPerStream} events, ${among}`, loads.large, loads.small, 1.3),
  ];
}

async function filled(server: BenchServer, name: string, streams: number) {
  const of = await createTenants(await server.createDatabase(name), tenantCount);
  await of.database.admin.query('select bench.fill_events($1, $2, $3)', [tenantCount, streams, eventsPerStream]);
  await of.database.admin.query('vacuum analyze intent.events');
  return of;
}

/** The long stream's snapshot is 100 events old, so that both loads carry as many events. */
async function longStream(server: BenchServer, scale: number): Promise<Row> {
  const events = 100_000 * scale;
  const short = await createTenants(await server.createDatabase('short'), 1);
  const long = await createTenants(await server.createDatabase('long'), 1);
  await short.database.admin.query('select bench.fill_events(1, 1, 100)');
  await long.database.admin.query('select bench.fill_events(1, 1, $1)', [events]);
  await long.database.admin.query(
    `select intent.save_snapshot(bench.tenant_id(1), 'note', 'stream-1', $1, 1, jsonb_build_object('text', repeat('x', 1000)))`,
    [events - 100],
  );
  for (const { database } of [short, long]) await database.admin.query('vacuum analyze intent.events, intent.snapshots');
  const variants = { short: loadOf(short, () => 'stream-1'), long: loadOf(long, () => 'stream-1') };
  const measured = await measureRounds(variants, { connections, scale });
  return timeRow(`time of a load, ${events} events with a snapshot : 100 events`, measured.long, measured.short, 1.5);
}

/** Times are compared, so the ratio of the rates is turned over. */
function timeRow(measured: string, one: Measured, other: Measured, atMost: number): Row {
  return toRow({ benchmark, measured, values: ratios(other, one), goal: { atMost }, figures: describeRates(one, other) });
}
