import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from './database.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, submitAs, type TestTenant } from './tenant.ts';

interface Finding {
  readonly problem: string;
  readonly object: string;
  readonly detail: string;
  readonly remedy: string;
}

let db: ReturnType<typeof connect>;
let rose: TestTenant;
let client: pg.Client;
const orderId = randomUUID();
const settledId = randomUUID();

beforeAll(async () => {
  const database = await createTestDatabase();
  db = connect(database);
  rose = await createTenant(db.admin);
  const note = { type: 'NoteTaken', schemaVersion: 1, payload: {} };
  const append = (aggregateId: string, events: object[], commandId?: string) =>
    db.worker.query('select intent.append_events($1, $2, $3, null, $4, $5)', [
      rose.tenantId, commandId === undefined ? 'note' : 'order', aggregateId, JSON.stringify(events), commandId,
    ]);
  await append('a', [note, note, note]);
  const order = placeOrder(orderId);
  await submitAs(db.admin, claimsOf(rose, 'member'), { ...order, commandId: settledId });
  const payload = { ...order.payload, total: 700, placedBy: rose.members.member, needsApproval: false };
  await append(orderId, [{ type: 'OrderPlaced', schemaVersion: 1, payload }], settledId);
  await append('a', [note, note]);
  await db.worker.query(`select intent.save_snapshot($1, 'note', 'a', 5, 1, '{}')`, [rose.tenantId]);
  await submitAs(db.admin, claimsOf(rose, 'owner'), openBudget('waiting'));
  await submitAs(db.admin, claimsOf(rose, 'owner'), openBudget('running'));
  client = new pg.Client(database.adminUrl);
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await db.end();
});

/** What the doctor finds once the statements have done their harm, which is undone afterwards. */
async function findAfter(harm: string): Promise<Finding[]> {
  await client.query('begin');
  try {
    await client.query(harm);
    return (await client.query<Finding>('select * from intent.doctor()')).rows;
  } finally {
    await client.query('rollback');
  }
}

const unguarded = (statement: string) =>
  `alter table intent.events disable trigger append_only; ${statement}; alter table intent.events enable always trigger append_only`;

const harms: readonly { problem: string; object: string; harm: string }[] = [
  { problem: 'table missing', object: 'intent.events', harm: 'alter table intent.events rename to events_of_last_year' },
  { problem: 'table missing', object: 'intent.snapshots', harm: 'drop table intent.snapshots' },
  { problem: 'row-level security off', object: 'intent.commands', harm: 'alter table intent.commands no force row level security' },
  { problem: 'row-level security off', object: 'intent.orders', harm: 'alter table intent.orders disable row level security' },
  { problem: 'row-level security off', object: 'intent.extra', harm: 'create table intent.extra ()' },
  { problem: 'tenant wall missing', object: 'intent.orders', harm: 'drop policy tenant_wall on intent.orders' },
  { problem: 'tenant wall missing', object: 'intent.memberships', harm: 'drop policy user_wall on intent.memberships' },
  { problem: 'doctor is blind', object: 'intent.events', harm: 'drop policy system_reads on intent.events' },
  { problem: 'log can be changed', object: 'intent.events', harm: 'grant delete on intent.events to intent_worker' },
  { problem: 'trigger missing', object: 'append_only on intent.events', harm: 'drop trigger append_only on intent.events' },
  { problem: 'trigger missing', object: 'ring_doorbell on intent.commands', harm: 'alter trigger ring_doorbell on intent.commands rename to bell' },
  { problem: 'trigger disabled', object: 'never_emptied on intent.events', harm: 'alter table intent.events disable trigger never_emptied' },
  { problem: 'trigger disabled', object: 'project_orders on intent.events', harm: 'alter table intent.events disable trigger project_orders' },
  { problem: 'trigger not always on', object: 'append_only on intent.events', harm: 'alter table intent.events enable trigger append_only' },
  {
    problem: 'trigger altered',
    object: 'append_only on intent.events',
    harm: `create or replace trigger append_only before delete on intent.events for each row execute function intent.refuse_change();
      alter table intent.events enable always trigger append_only`,
  },
  { problem: 'index depends on a collation', object: 'intent.by_name', harm: 'create index by_name on intent.tenants (name)' },
  { problem: 'index depends on a collation', object: 'intent.by_name', harm: `create index by_name on intent.tenants (lower(name) collate "und-x-icu")` },
  { problem: 'role above the policies', object: 'intent_owner', harm: 'alter role intent_owner bypassrls' },
  { problem: 'role above the policies', object: 'intent_worker', harm: 'alter role intent_worker superuser' },
  { problem: 'owner can log in', object: 'intent_system', harm: 'alter role intent_system login' },
  { problem: 'role acts as an owner', object: 'intent_pump', harm: 'grant intent_owner to intent_pump' },
  {
    problem: 'clients are not told',
    object: 'realtime.send(jsonb, text, text, boolean)',
    harm: 'revoke usage on schema realtime from intent_owner',
  },
  { problem: 'role without a setting that it needs', object: 'intent_worker', harm: 'alter role intent_worker reset default_transaction_isolation' },
  {
    problem: 'role with a setting that it cannot have',
    object: 'intent_pump',
    harm: `do $$ begin execute format('alter role intent_pump in database %I set default_transaction_isolation = serializable', current_database()); end $$`,
  },
  { problem: 'role may hold its locks for ever', object: 'authenticator', harm: 'alter role authenticator reset idle_in_transaction_session_timeout' },
];

describe('intent.doctor()', () => {
  it('finds nothing where all is well, and an operator may ask it', async () => {
    expect((await db.operator.query('select * from intent.doctor()')).rows).toEqual([]);
  });

  it.each(harms)('finds "$problem" of $object, alone, after: $harm', async ({ problem, object, harm }) => {
    expect(await findAfter(harm)).toEqual([{ problem, object, detail: expect.any(String) as string, remedy: expect.any(String) as string }]);
  });

  it.each([
    ['default_transaction_read_only', 'on', 'database is read-only'],
    ['session_replication_role', 'replica', 'triggers and policies are off'],
    ['row_security', 'off', 'triggers and policies are off'],
  ])('finds that %s is %s for the whole database, and says how to undo it', async (setting, value, problem) => {
    const found = await findAfter(`do $$ begin execute format('alter database %I set ${setting} = ${value}', current_database()); end $$`);
    expect(found).toMatchObject([{ problem, object: expect.stringMatching(/^database /) as string, remedy: expect.stringContaining(`reset ${setting};`) as string }]);
  });

  it('is content with settings of the database that the roles have their own for', async () => {
    expect(await findAfter(`do $$ begin execute format('alter database %I set default_transaction_isolation = serializable', current_database()); end $$`)).toEqual([]);
  });

  it('finds that the database was moved to another version of its collation, and the indexes that are in doubt', async () => {
    const moved = `update pg_database set datcollversion = '0.9' where datname = current_database()`;
    expect(await findAfter(`create schema app; create table app.people (email text unique); ${moved}`)).toMatchObject([
      {
        problem: 'collation has changed',
        detail: expect.stringMatching(/^its version was 0\.9 and is \S+; [1-9]\d* indexes may be corrupt: .*app\.people_email_key/) as string,
        remedy: expect.stringMatching(/reindex index concurrently app\.people_email_key;.* alter database \w+ refresh collation version;$/) as string,
      },
    ]);
  });

  it('finds another version of a collation that an index of the application names, and of no other', async () => {
    const moved = `update pg_collation set collversion = '0.9' where collname in ('de-x-icu', 'fr-x-icu')`;
    expect(await findAfter(`create schema app; create table app.people (name text collate "de-x-icu" unique); ${moved}`)).toMatchObject([
      { problem: 'collation has changed', object: 'collation "de-x-icu"', remedy: 'reindex index concurrently app.people_name_key; alter collation "de-x-icu" refresh version;' },
    ]);
  });

  it("finds a hole in a tenant's positions and in a stream's versions", async () => {
    expect(await findAfter(unguarded(`delete from intent.events where aggregate_id = 'a' and version = 2`))).toMatchObject([
      { problem: 'positions with holes', object: `tenant ${rose.tenantId}`, detail: '5 events at the positions 1 to 6' },
      { problem: 'versions with holes', object: `note a of tenant ${rose.tenantId}`, detail: '4 events with the versions 1 to 5' },
    ]);
  });

  it("finds a hole in a tenant's positions alone, where every stream is whole", async () => {
    expect(await findAfter(unguarded(`update intent.events set position = 9 where aggregate_id = 'a' and version = 5`))).toMatchObject([
      { problem: 'positions with holes', detail: '6 events at the positions 1 to 9' },
    ]);
  });

  it("finds a hole in a stream's versions alone, also at its beginning", async () => {
    expect(await findAfter(unguarded(`update intent.events set version = version + 10 where aggregate_id = 'a'`))).toMatchObject([
      { problem: 'versions with holes', detail: '5 events with the versions 11 to 15' },
    ]);
  });

  it('finds a snapshot ahead of its stream', async () => {
    expect(await findAfter('update intent.snapshots set version = 7')).toMatchObject([
      { problem: 'snapshot ahead of its stream', object: `note a of tenant ${rose.tenantId}`, detail: 'taken at version 7, the stream is at version 5' },
    ]);
  });

  it('finds a claim that nobody takes over, but none whose lease has just ended', async () => {
    const expired = (ago: string) => `update intent.commands set claimed_by = 'pump', claimed_until = clock_timestamp() - interval '${ago}' where aggregate_id = 'waiting'`;
    expect(await findAfter(expired('61 seconds'))).toMatchObject([{ problem: 'claims not taken over', object: `tenant ${rose.tenantId}` }]);
    expect(await findAfter(expired('50 seconds'))).toEqual([]);
  });

  it('finds a command that was dispatched and has no outcome, but none that still may have one', async () => {
    const dispatched = (ago: string) => `update intent.commands set status = 'dispatched', claimed_by = 'pump', dispatched_at = clock_timestamp() - interval '${ago}' where aggregate_id = 'running'`;
    expect(await findAfter(dispatched('16 minutes'))).toMatchObject([{ problem: 'dispatched without an outcome', detail: expect.stringMatching(/^1 commands/) as string }]);
    expect(await findAfter(dispatched('14 minutes'))).toEqual([]);
  });

  it.each(['{ "lastPosition": 99 }', '{ "lastVersion": 2 }'])('finds a success whose events are not in the log: %s', async (wrong) => {
    expect(await findAfter(`update intent.commands set outcome = outcome || '${wrong}' where command_id = '${settledId}'`)).toMatchObject([
      { problem: 'success without its events', detail: `1 commands; command ${settledId}` },
    ]);
  });

  it('leaves a record of who asked', async () => {
    await db.operator.query('select * from intent.doctor()');
    const { rows } = await db.admin.query(`select distinct action, asked_by from intent.operator_log where action = 'doctor'`);
    expect(rows).toContainEqual({ action: 'doctor', asked_by: 'intent_operator' });
  });

  it('knows every table and every trigger that is there', async () => {
    const { rows } = await db.admin.query<{ name: string }>(`
      select relname as name from pg_class where relnamespace = 'intent'::regnamespace and relkind in ('r', 'p') and not relispartition
      union all select tgname from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
      where c.relnamespace = 'intent'::regnamespace and not t.tgisinternal and not c.relispartition`);
    const { rows: sources } = await db.admin.query<{ source: string }>(`select prosrc as source from pg_proc where proname in ('doctor_tables', 'doctor_triggers')`);
    const { rows: models } = await db.admin.query<{ names: string }>(`select format('''%s'' ''%s''', read_model, trigger_name) as names from intent.read_models`);
    const known = [...sources.map(({ source }) => source), ...models.map(({ names }) => names)].join();
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter(({ name }) => !known.includes(`'${name}'`))).toEqual([]);
  });
});
