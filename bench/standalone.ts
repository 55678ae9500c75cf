import { pino } from 'pino';
import { connectToTestTemporal, startTestTemporal } from '../src/testing/temporal.ts';
import { startBareActivities } from './bare-temporal/activity-engine.ts';
import { startBareTemporal } from './bare-temporal/engine.ts';
import { quantile } from './quantile.ts';
import { round, toRow, type Row } from './row.ts';
import { rateOf, timesOf, type Runs } from './run-times.ts';

const benchmark = 'standalone';
const inFlight = 50;
const rounds = 8;
const roundMs = 6_000;
const shortestRoundMs = 500;
const warmUpMs = 4_000;
const singleCount = 100;

/**
 * What a command would gain if it were an activity by itself instead of a workflow with one (docs/adr/0021): empty ones of each, on one
 * server, in turn.
 */
export async function standalone({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startTestTemporal();
  if (server === undefined) throw new Error('This benchmark needs a Temporal server.');
  try {
    const connected = await connectToTestTemporal(server, pino({ level: 'warn' }));
    const workflows = await startBareTemporal(connected);
    const activities = await startBareActivities(connected);
    const rows: Row[] = [];
    for (const way of ['eager', 'plain'] as const) {
      await workflows.startBy(way);
      rows.push(await manyInFlight(activities, workflows, way, scale), await oneAtATime(activities, workflows, way, scale));
    }
    await activities.stop();
    await workflows.stop();
    await connected.connection.close();
    return rows;
  } finally {
    await server.stop();
  }
}

async function manyInFlight(activities: Runs, workflows: Runs, way: string, scale: number): Promise<Row> {
  const ms = Math.max(shortestRoundMs, roundMs * scale);
  const rates = { activities: [] as number[], workflows: [] as number[] };
  await rateOf(activities, { inFlight, ms: warmUpMs * scale });
  await rateOf(workflows, { inFlight, ms: warmUpMs * scale });
  for (let n = 0; n < Math.ceil(rounds * scale); n += 1) {
    rates.activities.push(await rateOf(activities, { inFlight, ms }));
    rates.workflows.push(await rateOf(workflows, { inFlight, ms }));
  }
  return toRow({
    benchmark,
    measured: `standalone activities : bare workflows, ${inFlight} in flight, ${way} starts of the latter`,
    values: rates.activities.map((rate, n) => rate / rates.workflows[n]!),
    figures: `${round(quantile(rates.activities, 0.5))}/s : ${round(quantile(rates.workflows, 0.5))}/s`,
  });
}

async function oneAtATime(activities: Runs, workflows: Runs, way: string, scale: number): Promise<Row> {
  const count = Math.ceil(singleCount * scale);
  const ours = await timesOf(activities, count);
  const theirs = await timesOf(workflows, count);
  return toRow({
    benchmark,
    measured: `one at a time: p50 of a standalone activity : of a bare workflow, ${way} starts of the latter, ${count} each`,
    values: [quantile(ours, 0.5) / quantile(theirs, 0.5)],
    figures: `${round(quantile(ours, 0.5))} ms : ${round(quantile(theirs, 0.5))} ms; p95 ${round(quantile(ours, 0.95))} : ${round(quantile(theirs, 0.95))}`,
  });
}
