import { appendOneEvent, createTenants, insertOneRow, oneEvent } from './append-calls.ts';
import { startBenchServer, type BenchDatabase } from './database.ts';
import { describeRates, measureRounds, ratios, type Variant } from './rounds.ts';
import { round, toRow, type Row } from './row.ts';

const benchmark = 'append';
const tenantCount = 64;
const commandCount = 150_000;

/** `append_events` against a raw INSERT of the same row, over many tenants. */
export async function append({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const database = await server.createDatabase('append');
    const of = await createTenants(database, tenantCount);
    const withCommand = await settleOneCommand(database, Math.ceil(commandCount * Math.max(scale, 0.2)));
    const rows: Row[] = [];
    for (const connections of [2, 8, 32]) {
      const variants = { raw: insertOneRow(of), append: appendOneEvent(of) };
      const { raw, append: appended } = await measureRounds(variants, { connections, scale });
      await database.admin.query('truncate bench.raw_events');
      rows.push(toRow({
        benchmark,
        measured: `one event, ${connections} connections : raw INSERT`,
        values: ratios(appended, raw),
        ...(connections === 32 && { goal: { atLeast: 0.6 } }),
        figures: describeRates(appended, raw),
      }));
    }
    const { raw, settled } = await measureRounds({ raw: insertOneRow(of), settled: withCommand }, { connections: 32, scale });
    await database.admin.query('truncate bench.raw_events');
    rows.push(toRow({
      benchmark,
      measured: 'one event of a command, 32 connections : raw INSERT',
      values: ratios(settled, raw),
      figures: describeRates(settled, raw),
    }));
    return [...rows, await inTransaction(database)];
  } finally {
    await server.stop();
  }
}

/** `append_events` with the one event of a command that waits: it settles, rings and tells its submitter. */
async function settleOneCommand(database: BenchDatabase, commands: number): Promise<Variant> {
  await database.admin.query(`select bench.fill_commands('pending', $1, $2, $1)`, [commands, tenantCount]);
  await database.admin.query('update intent.commands set actor_user_id = gen_random_uuid()');
  await database.admin.query('vacuum analyze intent.commands');
  const { rows } = await database.admin.query<{ tenant: string; aggregate: string; command: string }>(
    'select tenant_id as tenant, aggregate_id as aggregate, command_id as command from intent.commands order by command_id',
  );
  return {
    url: database.urlFor('intent_worker'),
    statement: 'select * from intent.append_events($1, $2, $3, $4, $5, $6)',
    values() {
      const next = rows.pop();
      if (next === undefined) throw new Error('There are too few commands for this machine: raise commandCount.');
      return [next.tenant, 'note', next.aggregate, null, oneEvent, next.command];
    },
  };
}

/** Without commit and client: one connection, many appends in one transaction. */
async function inTransaction(database: BenchDatabase): Promise<Row> {
  const times = 2_000;
  const microseconds = { raw: [] as number[], append: [] as number[] };
  for (let n = 0; n < 7; n += 1) {
    microseconds.raw.push(await timeOf('select bench.insert_many($1, $2, $3)', [times, oneEvent, n * times]));
    microseconds.append.push(await timeOf('select bench.append_many($1, $2)', [times, oneEvent]));
  }
  const { raw, append: appended } = { raw: microseconds.raw.slice(1), append: microseconds.append.slice(1) };
  return toRow({
    benchmark,
    measured: 'cost in one long transaction, 1 connection',
    values: appended,
    unit: ' µs',
    figures: `raw INSERT ${round(Math.min(...raw))}–${round(Math.max(...raw))} µs`,
  });

  async function timeOf(statement: string, values: unknown[]): Promise<number> {
    const beganAt = performance.now();
    await database.admin.query(statement, values);
    return ((performance.now() - beganAt) * 1000) / times;
  }
}
