import { randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';
import { claimsOf, createTenant, placeOrder, type Claims } from '../src/testing/tenant.ts';
import { startBenchServer, type BenchDatabase } from './database.ts';
import { describeRates, measureRounds, ratios, type Variant } from './rounds.ts';
import { toRow, type Row } from './row.ts';

const benchmark = 'walls';
const tenantCount = 1_000;
const membersCount = 64;
const streamsPerTenant = 10;
const eventsPerStream = 10;
const connections = 8;

/** What policies and the look-up of the membership cost a member's calls, against the same calls in a database without either. */
export async function walls({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const walled = await fill(await server.createDatabase('walled'));
    const open = await fill(await server.createDatabase('open'));
    await takeWallsDown(open.database);
    const rows: Row[] = [];
    for (const [name, call] of Object.entries(calls)) {
      const measured = await measureRounds({ open: call(open), walled: call(walled) }, { connections, scale });
      rows.push(toRow({
        benchmark,
        measured: `time of ${name} : without walls`,
        values: ratios(measured.open, measured.walled),
        goal: { atMost: 1.25 },
        figures: describeRates(measured.walled, measured.open),
      }));
    }
    return [...rows, await rateLimits(walled, scale)];
  } finally {
    await server.stop();
  }
}

/** What counting a submission costs, by row for its tenant and its user, when neither limit is reached: two tenants of one database. */
async function rateLimits({ database, claims }: Filled, scale: number): Promise<Row> {
  const [limited, unlimited] = [claims.slice(0, 1), claims.slice(1, 2)];
  await database.admin.query('select intent.set_limits($1, 1000000, 1000000)', [limited[0]!.tenant_id]);
  const submit = calls['submit_command']!;
  const { one, other } = await measureRounds(
    { one: submit({ database, claims: limited }), other: submit({ database, claims: unlimited }) },
    { connections: 1, scale },
  );
  return toRow({
    benchmark,
    measured: 'what two rate limits add to a submission, 1 connection',
    values: one.rates.map((rate, round) => 1000 / rate - 1000 / other.rates[round]!),
    unit: ' ms',
    goal: { atMost: 1 },
    figures: describeRates(one, other),
  });
}

interface Filled {
  readonly database: BenchDatabase;
  /** Of members of tenants that have events, among a thousand others. */
  readonly claims: readonly Claims[];
}

const calls: Readonly<Record<string, (of: Filled) => Variant>> = {
  submit_command(of) {
    const { type, aggregateType, payload } = placeOrder();
    const payloadText = JSON.stringify(payload);
    return asMember(of, `select api.submit_command($1, '${type}', '${aggregateType}', $2, $3)`, () => [randomUUID(), randomUUID(), payloadText]);
  },
  hydrate: (of) => asMember(of, `select api.hydrate('note', $1)`, () => [`stream-${1 + randomInt(streamsPerTenant)}`]),
  read_feed: (of) => asMember(of, 'select api.read_feed($1, 50)', () => [String(randomInt(streamsPerTenant * eventsPerStream - 50))]),
};

/** As PostgREST calls it, each connection a member of one of the tenants. */
function asMember({ database, claims }: Filled, statement: string, values: () => string[]): Variant {
  return {
    url: database.adminUrl,
    setUp: (connection) => `set role authenticated;
      set request.jwt.claims = ${pg.escapeLiteral(JSON.stringify(claims[connection % claims.length]))}`,
    statement,
    values,
  };
}

async function fill(database: BenchDatabase): Promise<Filled> {
  const { admin } = database;
  await admin.query('select from bench.create_tenants($1)', [tenantCount]);
  await admin.query('select bench.fill_events($1, $2, $3)', [tenantCount, streamsPerTenant, eventsPerStream]);
  const claims: Claims[] = [];
  for (let n = 1; n <= membersCount; n += 1) {
    const { members } = await createTenant(admin);
    const { rows } = await admin.query<{ id: string }>('select bench.tenant_id($1) as id', [n]);
    const tenantId = rows[0]!.id;
    await admin.query(`select intent.add_member($1, $2, 'member')`, [tenantId, members.member]);
    claims.push(claimsOf({ tenantId, members }, 'member'));
  }
  // A session keeps its plans: made for a table that is known to be empty, they would read all of it once it is not.
  await admin.query(`select bench.fill_commands('succeeded', 20000, $1, 20000)`, [tenantCount]);
  await admin.query('vacuum analyze');
  return { database, claims };
}

/** No policy is asked, and the claim is believed. */
async function takeWallsDown({ admin }: BenchDatabase): Promise<void> {
  await admin.query(`
    do $$
    declare
      walled regclass;
    begin
      for walled in select c.oid from pg_class as c where c.relnamespace = 'intent'::regnamespace and c.relrowsecurity loop
        execute format('alter table %s disable row level security', walled);
      end loop;
    end
    $$;
    create or replace function intent.claimed_membership() returns intent.memberships language plpgsql stable as $$
    declare
      membership intent.memberships;
    begin
      membership.tenant_id := intent.uuid_claim('tenant_id');
      membership.user_id := intent.uuid_claim('sub');
      membership.role := 'member';
      return membership;
    end
    $$;
  `);
}
