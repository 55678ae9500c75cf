import { pino } from 'pino';
import { connectToTestTemporal, startTestTemporal } from '../src/testing/temporal.ts';
import { createTenants } from './append-calls.ts';
import { startBareTemporal } from './bare-temporal/engine.ts';
import { type BenchDatabase, startBenchServer } from './database.ts';
import { drain, measureEndToEnd } from './inline.ts';
import { quantile } from './quantile.ts';
import { round, toRow, type Row } from './row.ts';
import { rateOf, timesOf } from './run-times.ts';
import { startCommandEngine, type TemporalEngine, type WayOfStarting } from './temporal-commands.ts';
import { workerMemory } from './worker-memory.ts';

const benchmark = 'temporal';
const inFlight = 50;
/** One round in which both run differs from the next by a tenth. */
const rounds = 20;
const roundMs = 6_000;
const shortestRoundMs = 500;
/** A session of PostgreSQL plans a statement anew until its sixth time. */
const warmUpMs = 4_000;
const singleCount = 100;
const singleRounds = 4;
const inlineCommands = 10_000;
const log = pino({ level: 'warn' });

/** Our commands through Temporal, and through the inline engine, against bare workflows on the same server, in turn. */
export async function temporal({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startTestTemporal();
  if (server === undefined) throw new Error('This benchmark needs a Temporal server.');
  const postgres = await startBenchServer();
  try {
    const database = await postgres.createDatabase('temporal');
    // A log in use, that the planner knows.
    await createTenants(database, 8);
    await database.admin.query('select bench.fill_events(8, 1000, 2)');
    const connected = await connectToTestTemporal(server, log);
    const bare = await startBareTemporal(connected);
    const ours = await startCommandEngine(connected, database);
    const rows = [
      await manyInFlight({ ours, bare }, 'eager', scale),
      await oneAtATime({ ours, bare }, scale),
      await manyInFlight({ ours, bare }, 'plain', scale),
    ];
    await ours.stop();
    rows.push(...(await inlineEngine(database, bare, scale)));
    await bare.stop();
    await connected.connection.close();
    rows.push(await workerMemory(await postgres.createDatabase('memory'), server, scale));
    return rows;
  } finally {
    await postgres.stop();
    await server.stop();
  }
}

interface Compared {
  readonly ours: TemporalEngine;
  readonly bare: TemporalEngine;
}

async function manyInFlight({ ours, bare }: Compared, way: WayOfStarting, scale: number): Promise<Row> {
  const ms = Math.max(shortestRoundMs, roundMs * scale);
  const rates = { ours: [] as number[], bare: [] as number[] };
  await Promise.all([ours.startBy(way), bare.startBy(way)]);
  await rateOf(ours, { inFlight, ms: warmUpMs });
  await rateOf(bare, { inFlight, ms: warmUpMs });
  for (let n = 0; n < Math.ceil(rounds * scale); n += 1) {
    rates.ours.push(await rateOf(ours, { inFlight, ms }));
    rates.bare.push(await rateOf(bare, { inFlight, ms }));
  }
  return toRow({
    benchmark,
    measured: `commands through Temporal : bare workflows, ${inFlight} in flight, ${way} starts`,
    values: rates.ours.map((rate, n) => rate / rates.bare[n]!),
    goal: { atLeast: 0.85 },
    figures: `${round(quantile(rates.ours, 0.5))}/s : ${round(quantile(rates.bare, 0.5))}/s`,
  });
}

async function oneAtATime({ ours, bare }: Compared, scale: number): Promise<Row> {
  const count = Math.ceil(singleCount * scale);
  const p50 = { ours: [] as number[], bare: [] as number[] };
  for (let n = 0; n < singleRounds; n += 1) {
    p50.ours.push(quantile(await timesOf(ours, count), 0.5));
    p50.bare.push(quantile(await timesOf(bare, count), 0.5));
  }
  return toRow({
    benchmark,
    measured: `one at a time, eager: p50 of a command − p50 of a bare workflow, ${count} each`,
    values: p50.ours.map((ms, n) => ms - p50.bare[n]!),
    unit: ' ms',
    goal: { atMost: 15 },
    figures: `${round(quantile(p50.ours, 0.5))} ms − ${round(quantile(p50.bare, 0.5))} ms`,
  });
}

async function inlineEngine(database: BenchDatabase, bare: TemporalEngine, scale: number): Promise<Row[]> {
  const commands = Math.ceil(inlineCommands * scale);
  const many: number[] = [];
  const hot: number[] = [];
  const workflows: number[] = [];
  await bare.startBy('eager');
  for (let n = 0; n < 3; n += 1) {
    workflows.push(await rateOf(bare, { inFlight, ms: Math.max(shortestRoundMs, roundMs * scale) }));
    many.push((await measureEndToEnd(database, commands)).rate);
    hot.push(await drain(database, { commands, budgets: 1, tenants: 1, prefix: `hot-${n}` }));
  }
  const rowOf = (measured: string, rates: readonly number[], atLeast: number) =>
    toRow({
      benchmark,
      measured: `${measured} : bare workflows, ${inFlight} in flight, eager starts`,
      values: rates.map((rate, n) => rate / workflows[n]!),
      goal: { atLeast },
      figures: `${round(quantile(rates, 0.5))}/s : ${round(quantile(workflows, 0.5))}/s`,
    });
  return [
    rowOf(`inline engine, ${commands} commands from submission to outcome`, many, 20),
    rowOf(`inline engine, ${commands} commands of one aggregate drained`, hot, 5),
  ];
}
