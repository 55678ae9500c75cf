import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { claimsOf, connect, createTenant, openBudget } from '../../testing/tenant.ts';
import { stateVersions } from '../../domain/registry.ts';

/** A session plans a statement anew until its sixth time, and may keep that plan. */
const untilPlansAreKept = 8;
const commands = 40;

let database: TestDatabase;
let db: ReturnType<typeof connect>;
beforeEach(async () => {
  database = await createTestDatabase();
  db = connect(database);
  // Now the planner knows how small they are; before, it would guess that they are not.
  await db.admin.query('vacuum (analyze) intent.commands, intent.events, intent.snapshots');
});
afterEach(() => db.end());

async function session(url: string, setUp: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(setUp);
  return client;
}

/** How often the queue and the log were read from one end to the other, once the sessions have told what they did. */
async function wholeReads(sessions: readonly pg.Client[]): Promise<number> {
  for (const each of sessions) await each.query('select pg_stat_force_next_flush()');
  for (const each of sessions) await each.query('select 1');
  const { rows } = await db.admin.query<{ reads: number }>(
    `select sum(seq_scan)::integer as reads from pg_stat_user_tables where schemaname = 'intent' and relname in ('commands', 'events', 'snapshots')`,
  );
  return rows[0]!.reads;
}

interface Claimed {
  readonly tenantId: string;
  readonly commandId: string;
  readonly aggregateId: string;
}

const opened = { type: 'BudgetOpened', schemaVersion: 1, payload: openBudget('').payload };
const versions = JSON.stringify(stateVersions);

/** What a worker asks for one command, with each engine. */
const engines: Record<string, (worker: pg.Client, command: Claimed) => Promise<void>> = {
  async inline(worker, { tenantId, commandId, aggregateId }) {
    await worker.query('select intent.load_batch($1, $2, 0, $3)', [tenantId, [commandId], versions]);
    const run = { aggregateType: 'budget', aggregateId, expectedVersion: 0, decisions: [{ commandId, events: [opened] }] };
    await worker.query('select intent.settle_batch($1, $2)', [tenantId, JSON.stringify([run])]);
  },
  async Temporal(worker, { tenantId, commandId, aggregateId }) {
    await worker.query('select intent.load_command($1, $2, $3)', [tenantId, commandId, versions]);
    await worker.query(`select intent.append_or_catch_up($1, 'budget', $2, 0, $3, $4)`, [
      tenantId, aggregateId, JSON.stringify([opened]), commandId,
    ]);
  },
};

it.each(Object.keys(engines))('sessions that planned while there was nothing yet read no whole table once there is: %s', async (engine) => {
  const tenant = await createTenant(db.admin);
  const claims = pg.escapeLiteral(JSON.stringify(claimsOf(tenant, 'owner')));
  const submitter = await session(database.adminUrl, `set role authenticated; set request.jwt.claims = ${claims}`);
  const pump = await session(database.urlFor('intent_pump'), '');
  const worker = await session(database.urlFor('intent_worker'), '');
  const sessions = [submitter, pump, worker];

  async function execute(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const [aggregateId, commandId] = [randomUUID(), randomUUID()];
      await submitter.query(`select api.submit_command($1, 'OpenBudget', 'budget', $2, $3)`, [commandId, aggregateId, opened.payload]);
      const { rows } = await pump.query(`select command_id from intent.claim_commands('plans', 10, '1 minute')`);
      expect(rows).toEqual([{ command_id: commandId }]);
      await engines[engine]!(worker, { tenantId: tenant.tenantId, commandId, aggregateId });
    }
  }

  await execute(untilPlansAreKept);
  const before = await wholeReads(sessions);
  await execute(commands);
  const after = await wholeReads(sessions);
  await Promise.all(sessions.map((each) => each.end()));
  expect(after - before).toBe(0);
});

it('claims, marks and releases look up what they need in a long queue, though it was empty when the planner last looked', async () => {
  const tenant = await createTenant(db.admin);
  const claims = pg.escapeLiteral(JSON.stringify(claimsOf(tenant, 'owner')));
  const submitter = await session(database.adminUrl, `set role authenticated; set request.jwt.claims = ${claims}`);
  const submit = async (count: number) => {
    for (let n = 0; n < count; n += 1) {
      await submitter.query(`select api.submit_command($1, 'OpenBudget', 'budget', $2, $3)`, [randomUUID(), randomUUID(), opened.payload]);
    }
  };
  const queued = 300;
  // What the planner knows is to be of this moment: the server looks by itself in a run that takes longer than a minute.
  await db.admin.query('alter table intent.commands set (autovacuum_enabled = false)');
  await submit(queued);
  await db.admin.query(`select intent.reject_command(tenant_id, command_id, 'NO', 'no', '{}') from intent.commands`);
  await db.admin.query('vacuum (analyze) intent.commands');
  await submit(queued);

  const pump = await session(database.urlFor('intent_pump'), '');
  const claim = () => pump.query<{ tenant_id: string; command_id: string; fencing_token: string }>(
    `select tenant_id, command_id, fencing_token from intent.claim_commands('plans', 10, '1 minute')`,
  );
  for (const each of [submitter, pump]) await each.query('select pg_stat_force_next_flush()');
  const before = await entriesRead(pump);
  let handled = 0;
  for (let n = 0; n < untilPlansAreKept; n += 1) {
    const { rows } = await claim();
    for (const [index, { tenant_id, command_id, fencing_token }] of rows.entries()) {
      const report = index % 2 === 0 ? 'mark_dispatched' : 'release_command';
      await pump.query(`select intent.${report}($1, $2, $3)`, [tenant_id, command_id, fencing_token]);
    }
    handled += rows.length;
  }
  expect(handled).toBe(untilPlansAreKept * 10);
  const read = (await entriesRead(pump)) - before;
  await Promise.all([submitter.end(), pump.end()]);
  expect(read / handled).toBeLessThan(30);
});

/** Of all indexes of the queue, by the statements of this session and of those that have told before. */
async function entriesRead(pump: pg.Client): Promise<number> {
  await pump.query('select pg_stat_force_next_flush()');
  await pump.query('select 1');
  const { rows } = await db.admin.query<{ read: number }>(
    `select sum(idx_tup_read)::integer as read from pg_stat_user_indexes where schemaname = 'intent' and relname = 'commands'`,
  );
  return rows[0]!.read;
}
