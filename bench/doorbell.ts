import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { claimsOf, createTenant, placeOrder } from '../src/testing/tenant.ts';
import { startBenchServer, type BenchDatabase } from './database.ts';
import { describeRates, measureRounds, ratios, type Variant } from './rounds.ts';
import { toRow, type Row } from './row.ts';

const benchmark = 'doorbell';
const tenantCount = 64;

/** Submissions when every pump is awake, and when one sleeps, against the same without a doorbell. */
export async function doorbell({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const without = await server.createDatabase('without');
    await removeDoorbell(without);
    const awake = await server.createDatabase('awake');
    const sleeping = await server.createDatabase('sleeping');
    const endSleep = await sleep(sleeping);
    const variants = { without: await submit(without), awake: await submit(awake), sleeping: await submit(sleeping) };
    const measured = await measureRounds(variants, { connections: 32, scale });
    await endSleep();
    return [
      toRow({
        benchmark,
        measured: 'submissions with a pump awake : without doorbell',
        values: ratios(measured.awake, measured.without),
        goal: { atLeast: 0.9 },
        figures: describeRates(measured.awake, measured.without),
      }),
      toRow({
        benchmark,
        measured: 'submissions while a pump sleeps (each rings) : without doorbell',
        values: ratios(measured.sleeping, measured.without),
        figures: describeRates(measured.sleeping, measured.without),
      }),
    ];
  } finally {
    await server.stop();
  }
}

/** `api.submit_command` as PostgREST calls it, each connection a member of one of the tenants. */
async function submit(database: BenchDatabase): Promise<Variant> {
  const claims = await Promise.all(Array.from({ length: tenantCount }, async () => claimsOf(await createTenant(database.admin), 'member')));
  const { type, aggregateType, payload } = placeOrder();
  const payloadText = JSON.stringify(payload);
  return {
    url: database.adminUrl,
    setUp: (connection) => `set role authenticated;
      set request.jwt.claims = ${pg.escapeLiteral(JSON.stringify(claims[connection % tenantCount]))}`,
    statement: `select api.submit_command($1, '${type}', '${aggregateType}', $2, $3)`,
    values: () => [randomUUID(), randomUUID(), payloadText],
  };
}

async function removeDoorbell({ admin }: BenchDatabase): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `select tgname as name from pg_trigger where tgfoid = 'intent.ring_doorbell'::regproc and tgrelid = 'intent.commands'::regclass`,
  );
  if (rows.length === 0) throw new Error('There is no doorbell to remove.');
  for (const { name } of rows) await admin.query(`drop trigger ${pg.escapeIdentifier(name)} on intent.commands`);
}

/** A pump that waits through every ring, as one does in the moment before it wakes. */
async function sleep(database: BenchDatabase): Promise<() => Promise<void>> {
  const sleeper = new pg.Client(database.urlFor('intent_pump'));
  await sleeper.connect();
  await sleeper.query('listen intent_commands');
  await sleeper.query('begin');
  const { rows } = await sleeper.query<{ slot: number | null }>('select intent.take_wait_slot() as slot');
  if (typeof rows[0]?.slot !== 'number') throw new Error('There is no free wait slot.');
  return () => sleeper.end();
}
