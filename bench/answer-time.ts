import { randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';
import { createTenants, pick } from './append-calls.ts';
import { startBenchServer, type BenchDatabase } from './database.ts';
import { quantile } from './quantile.ts';
import { describeRates, measureRounds, ratios, type Measured, type Variant } from './rounds.ts';
import { toRow, type Row } from './row.ts';

const benchmark = 'answer-time';
const otherTenants = 100;
const commandCount = 100_000;
const streamsPerTenant = 100;

/** Whether the time of an answer tells what is another tenant's from what is not there. The user's own tenant is empty. */
export async function answerTime({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const database = await server.createDatabase('answer_time');
    const setUp = await fill(database, scale);
    const { rows } = await database.admin.query<{ id: string }>('select command_id as id from intent.commands');
    const variant = (statement: string, id: () => string): Variant => ({
      url: database.adminUrl,
      setUp: () => setUp,
      statement,
      values: () => [id()],
    });

    const measured = await measureRounds({
      commandOfOthers: variant('select api.get_command($1)', () => pick(rows).id),
      noCommand: variant('select api.get_command($1)', randomUUID),
      streamOfOthers: variant(`select api.hydrate('note', $1)`, () => `stream-${1 + randomInt(streamsPerTenant)}`),
      noStream: variant(`select api.hydrate('note', $1)`, () => `nobody-${1 + randomInt(streamsPerTenant)}`),
    }, { connections: 1, scale });
    return [
      compare('get_command', measured.commandOfOthers, measured.noCommand),
      compare('hydrate', measured.streamOfOthers, measured.noStream),
    ];
  } finally {
    await server.stop();
  }
}

/** Returns what makes a connection that of an owner of the empty tenant. */
async function fill(database: BenchDatabase, scale: number): Promise<string> {
  const { admin } = database;
  const own = (await createTenants(database, otherTenants + 1)).tenants.at(-1)!;
  const userId = randomUUID();
  await admin.query(`select intent.add_member($1, $2, 'owner')`, [own, userId]);
  await admin.query(`select bench.fill_commands('succeeded', $1, $2, $1)`, [commandCount * scale, otherTenants]);
  await admin.query('select bench.fill_events($1, $2, 10)', [otherTenants, streamsPerTenant]);
  await admin.query('vacuum analyze intent.commands, intent.events');
  const claims = JSON.stringify({ role: 'authenticated', sub: userId, tenant_id: own });
  return `set role authenticated; set request.jwt.claims = ${pg.escapeLiteral(claims)}`;
}

/** One figure for both directions: a faster answer would tell as much as a slower one. */
function compare(call: string, ofOthers: Measured, notThere: Measured): Row {
  const ratio = quantile(ratios(ofOthers, notThere), 0.5);
  return toRow({
    benchmark,
    measured: `${call}: another tenant's id : one that is not there, the slower by the faster`,
    values: [Math.min(ratio, 1 / ratio)],
    goal: { atLeast: 0.9 },
    figures: describeRates(ofOthers, notThere),
  });
}
