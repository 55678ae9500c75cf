import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { append, noted } from '../../testing/appends.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { queueReaction } from '../../testing/processes.ts';
import { claimsOf, connect, createTenant, placeOrder, submitAs, type TestTenant } from '../../testing/tenant.ts';

// A peer whose transaction stays open: its process was stopped, its machine is slow, its network is gone.
let database: TestDatabase;
let db: ReturnType<typeof connect>;
const sessions: pg.Client[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
});
afterEach(() => Promise.all(sessions.splice(0).map((session) => session.end())));
afterAll(() => db.end());

/** Anything that it would wait for is an error at once (55P03). */
async function impatient(role: 'intent_pump' | 'intent_worker' | 'intent_operator'): Promise<pg.Client> {
  const session = new pg.Client({ connectionString: database.urlFor(role), options: '-c lock_timeout=1ms' });
  await session.connect();
  sessions.push(session);
  return session;
}

/** What it has done is committed by `commit` only. */
async function peer(role: 'intent_pump' | 'intent_worker' | 'intent_operator'): Promise<pg.Client> {
  const session = await impatient(role);
  await session.query('begin');
  return session;
}

const submit = (tenant: TestTenant) => submitAs(db.admin, claimsOf(tenant, 'owner'), placeOrder());

interface Claimed {
  readonly tenant_id: string;
  readonly command_id: string;
  readonly fencing_token: string;
}

async function claim(session: pg.Client, maxCommands = 100): Promise<Claimed[]> {
  return (await session.query<Claimed>('select * from intent.claim_commands($1, $2, $3)', ['pump', maxCommands, '1 minute'])).rows;
}

async function settle(commands: readonly Claimed[]): Promise<void> {
  for (const { tenant_id, command_id } of commands) {
    await db.worker.query(`select intent.reject_command($1, $2, 'NOT_ALLOWED', 'no', null)`, [tenant_id, command_id]);
  }
}

async function report(session: pg.Client, name: string, { tenant_id, command_id, fencing_token }: Claimed): Promise<boolean> {
  return (await session.query<{ done: boolean }>(`select intent.${name}($1, $2, $3) as done`, [tenant_id, command_id, fencing_token])).rows[0]!.done;
}

describe('beside a peer that holds its transaction open', () => {
  it('a claim takes what is left, and waits for nothing', async () => {
    const tenant = await createTenant(db.admin);
    for (let n = 0; n < 3; n += 1) await submit(tenant);
    const slow = await peer('intent_pump');
    const first = await claim(slow, 1);
    const [second, third] = [await impatient('intent_pump'), await impatient('intent_pump')];
    await second.query('begin');
    const rest = [await claim(second, 1), await claim(third, 1)];
    await Promise.all([slow.query('commit'), second.query('commit')]);
    expect(new Set([first, ...rest].flat().map(({ command_id }) => command_id)).size).toBe(3);
    await settle([first, ...rest].flat());
  });

  it('claims go on in turns: every tenant before anybody twice', async () => {
    const tenants = await Promise.all(Array.from({ length: 4 }, () => createTenant(db.admin)));
    for (const tenant of tenants) for (let n = 0; n < 3; n += 1) await submit(tenant);
    const slow = await peer('intent_pump');
    const held = await claim(slow, 2);
    const pump = await impatient('intent_pump');
    const claims = [];
    for (let n = 0; n < 4; n += 1) claims.push(...(await claim(pump, 1)));
    expect(new Set(claims.map(({ tenant_id }) => tenant_id)).size).toBe(4);
    await slow.query('rollback');
    const after = await claim(pump);
    expect(after.map(({ command_id }) => command_id)).toEqual(expect.arrayContaining(held.map(({ command_id }) => command_id)));
    await settle([...claims, ...after]);
  });

  it('turns are noted in a few rows, however many claims there are', async () => {
    const tenant = await createTenant(db.admin);
    const [one, other] = [await impatient('intent_pump'), await impatient('intent_pump')];
    for (let n = 0; n < 20; n += 1) {
      for (let both = 0; both < 2; both += 1) await submit(tenant);
      await one.query('begin');
      const claimed = [...(await claim(one, 1)), ...(await claim(other, 1))];
      await one.query('commit');
      await settle(claimed);
    }
    const { rows } = await db.admin.query<{ turns: number }>('select count(*)::integer as turns from intent.claim_turns');
    expect(rows[0]!.turns).toBeLessThanOrEqual(3);
  });

  it('a mark and a release of a command that the peer settles say that there is nothing to do', async () => {
    const tenant = await createTenant(db.admin);
    for (let n = 0; n < 2; n += 1) await submit(tenant);
    const pump = await impatient('intent_pump');
    const [settled, other] = await claim(pump);
    const slow = await peer('intent_worker');
    await slow.query(`select intent.reject_command($1, $2, 'NOT_ALLOWED', 'no', null)`, [settled!.tenant_id, settled!.command_id]);
    expect([await report(pump, 'mark_dispatched', settled!), await report(pump, 'mark_dispatched', other!)]).toEqual([false, true]);
    expect(await report(pump, 'release_command', settled!)).toBe(false);
    // What the peer has not done in the end can be marked still.
    await slow.query('rollback');
    expect(await report(pump, 'mark_dispatched', settled!)).toBe(true);
    await settle([settled!, other!]);
  });

  it('a claim and a release of process managers leave alone what the peer is busy with', async () => {
    const { tenantId } = await createTenant(db.admin);
    const [held, free] = [await queueReaction(db, tenantId), await queueReaction(db, tenantId)];
    const slow = await peer('intent_worker');
    await slow.query(`select intent.fail_process($1, 'order-fulfilment', $2, '{"name": "Bug"}')`, [tenantId, held]);
    const pump = await impatient('intent_pump');
    const { rows } = await pump.query<{ key: string }>(`select * from intent.claim_processes('pump', 100, '1 minute')`);
    expect(rows.map(({ key }) => key)).toEqual([free]);
    for (const key of [held, free]) await pump.query(`select intent.release_process($1, 'order-fulfilment', $2)`, [tenantId, key]);
    await slow.query('rollback');
  });

  it('a subscription goes on with the tenants that it has, while the peer subscribes to a new one', async () => {
    const tenants = [await createTenant(db.admin), await createTenant(db.admin)];
    for (const { tenantId } of tenants) await append(db.worker, tenantId, { aggregateId: 'a', expectedVersion: 0, events: [noted()] });
    const subscription = 'held-open';
    const feed = (session: pg.Client) => session.query<{ tenant_id: string; fencing_token: string }>(`select * from intent.claim_feed($1, 10, '1 minute')`, [subscription]);
    const [slow, worker] = [await peer('intent_worker'), await impatient('intent_worker')];
    const first = (await feed(slow)).rows;
    expect((await feed(worker)).rows).toEqual([]);
    await slow.query('commit');
    const second = (await feed(worker)).rows;
    expect(new Set([...first, ...second].map(({ tenant_id }) => tenant_id)).size).toBe(2);

    // A late acknowledgement, while another claim is about to commit.
    await db.admin.query('update intent.checkpoints set claimed_until = clock_timestamp() where subscription = $1', [subscription]);
    await slow.query('begin');
    const { tenant_id, fencing_token } = (await feed(slow)).rows[0]!;
    const earlierToken = Number(fencing_token) - 1;
    const acknowledged = await worker.query<{ held: boolean }>('select intent.acknowledge_feed($1, $2, $3, 1) as held', [subscription, tenant_id, earlierToken]);
    expect(acknowledged.rows).toEqual([{ held: false }]);
    await slow.query('rollback');
  });

  it('a pruning takes what another one has not locked', async () => {
    const tenant = await createTenant(db.admin);
    for (let n = 0; n < 2; n += 1) await submit(tenant);
    const claimed = await claim(await impatient('intent_pump'));
    await settle(claimed);
    await db.admin.query(`update intent.commands set submitted_at = submitted_at - interval '100 days', completed_at = completed_at - interval '100 days' where tenant_id = $1`, [tenant.tenantId]);
    const prune = async (session: pg.Client) => (await session.query<{ pruned: number }>(`select intent.prune_commands('90 days', 1) as pruned`)).rows[0]!.pruned;
    const [slow, operator] = [await peer('intent_operator'), await impatient('intent_operator')];
    expect([await prune(slow), await prune(operator)]).toEqual([1, 1]);
    await slow.query('commit');
  });
});
