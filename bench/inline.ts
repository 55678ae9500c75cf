import { randomUUID } from 'node:crypto';
import { openBudget } from '../src/testing/tenant.ts';
import { createTenants, insertOneRow, type Tenants } from './append-calls.ts';
import { type BenchDatabase, startBenchServer } from './database.ts';
import { type RunningEngine, startInlineEngine } from './inline-engine.ts';
import { quantile } from './quantile.ts';
import { measureRounds } from './rounds.ts';
import { round, toRow, type Row } from './row.ts';
import { openSubmitters, submit } from './submitters.ts';

const benchmark = 'inline';
const tenantCount = 8;
const waitingCount = 10_000;
const singleCount = 500;
const warmUpCommands = 20;
const rounds = 3;
const rawConnections = 32;
const submitters = 8;

/** The inline engine: draining a full queue, one hot aggregate, one command at a time, and submission and execution together. */
export async function inline({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const database = await server.createDatabase('inline');
    const of = await createTenants(database, tenantCount);
    // A log in use, that the planner knows: it plans other than in an empty one.
    await database.admin.query('select bench.fill_events($1, 1000, 2)', [tenantCount]);
    const commands = Math.ceil(waitingCount * scale);
    return [
      await manyAggregates(of, commands, scale),
      await hotAggregate(database, commands),
      await oneAtATime(database, Math.ceil(singleCount * scale)),
      await endToEnd(database, commands),
    ];
  } finally {
    await server.stop();
  }
}

/** In turn with raw INSERTs, so that whatever else happens on the machine meets both. */
async function manyAggregates(of: Tenants, commands: number, scale: number): Promise<Row> {
  const drained: number[] = [];
  const raw: number[] = [];
  for (let n = 0; n < rounds; n += 1) {
    const { rates } = (await measureRounds({ raw: insertOneRow(of) }, { connections: rawConnections, scale: scale / rounds })).raw;
    await of.database.admin.query('truncate bench.raw_events');
    raw.push(quantile(rates, 0.5));
    drained.push(await drain(of.database, { commands, budgets: commands, tenants: tenantCount, prefix: `many-${n}` }));
  }
  return toRow({
    benchmark,
    measured: `draining ${commands} commands of as many aggregates, ${tenantCount} tenants : raw INSERT, ${rawConnections} connections`,
    values: drained.map((rate, n) => rate / raw[n]!),
    goal: { atLeast: 0.35 },
    figures: `${round(quantile(drained, 0.5))}/s : ${round(quantile(raw, 0.5))}/s`,
  });
}

async function hotAggregate(database: BenchDatabase, commands: number): Promise<Row> {
  const rates: number[] = [];
  for (let n = 0; n < rounds; n += 1) rates.push(await drain(database, { commands, budgets: 1, tenants: 1, prefix: `hot-${n}` }));
  return toRow({ benchmark, measured: `draining ${commands} commands of one aggregate`, values: rates, unit: ' commands/s' });
}

interface Queue {
  readonly commands: number;
  readonly budgets: number;
  readonly tenants: number;
  readonly prefix: string;
}

/** Commands a second. */
export async function drain(
  database: BenchDatabase,
  { commands, budgets, tenants, prefix }: Queue,
  start: (database: BenchDatabase) => Promise<RunningEngine> = startInlineEngine,
): Promise<number> {
  await database.admin.query('select bench.fill_budget_commands($1, $2, $3, $4)', [commands, tenants, budgets, prefix]);
  await database.admin.query('vacuum analyze');
  const beganAt = performance.now();
  const engine = await start(database);
  try {
    await engine.untilEnded(commands);
    return commands / ((performance.now() - beganAt) / 1000);
  } finally {
    await engine.stop();
  }
}

async function oneAtATime(database: BenchDatabase, commands: number): Promise<Row> {
  const [submitter] = await openSubmitters(database, 1);
  const engine = await startInlineEngine(database);
  try {
    const sample: number[] = [];
    for (let n = 1; n <= warmUpCommands + commands; n += 1) {
      const beganAt = performance.now();
      await submit(submitter!, openBudget(randomUUID()));
      await engine.untilEnded(n);
      if (n > warmUpCommands) sample.push(performance.now() - beganAt);
    }
    return toRow({
      benchmark,
      measured: `p50 of ${commands} commands, one after another, submission to outcome`,
      values: [quantile(sample, 0.5)],
      unit: ' ms',
      goal: { atMost: 10 },
      figures: `p95 ${round(quantile(sample, 0.95))} ms, p99 ${round(quantile(sample, 0.99))} ms`,
    });
  } finally {
    await engine.stop();
    await submitter!.close();
  }
}

async function endToEnd(database: BenchDatabase, commands: number): Promise<Row> {
  const { rate, submittedMs } = await measureEndToEnd(database, commands);
  return toRow({
    benchmark,
    measured: `${commands} commands, from the first submission to the last outcome, ${submitters} submitters`,
    values: [rate],
    unit: ' commands/s',
    figures: `submitted in ${round(submittedMs / 1000)} s`,
  });
}

/** Commands a second from the first submission to the last outcome, and when the last was submitted. */
export async function measureEndToEnd(database: BenchDatabase, commands: number) {
  const connections = await openSubmitters(database, submitters);
  const engine = await startInlineEngine(database);
  try {
    const beganAt = performance.now();
    let left = commands;
    await Promise.all(connections.map(async (connection) => {
      for (; left > 0;) {
        left -= 1;
        await submit(connection, openBudget(randomUUID()));
      }
    }));
    const submittedMs = performance.now() - beganAt;
    await engine.untilEnded(commands);
    return { rate: commands / ((performance.now() - beganAt) / 1000), submittedMs };
  } finally {
    await engine.stop();
    await Promise.all(connections.map((connection) => connection.close()));
  }
}
