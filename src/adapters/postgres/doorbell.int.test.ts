import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { claimsOf, connect, createTenant, placeOrder, submitAs, type TestTenant } from '../../testing/tenant.ts';

let database: TestDatabase;
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  tenant = await createTenant(db.admin);
});
afterAll(() => db.end());

const submit = () => submitAs(db.admin, claimsOf(tenant, 'owner'), placeOrder());

async function session() {
  const client = new pg.Client(database.urlFor('intent_pump'));
  await client.connect();
  const wakeUp = () => client.query('commit');
  /** Kept until `wakeUp`, if it is not null. */
  const takeSlot = async () => {
    await client.query('begin');
    const { rows } = await client.query<{ slot: number | null }>('select intent.take_wait_slot() as slot');
    if (rows[0]!.slot === null) await wakeUp();
    return rows[0]!.slot;
  };
  return { client, takeSlot, wakeUp, end: () => client.end() };
}

describe('the doorbell', () => {
  it('is silent while nobody sleeps, and rings with an empty payload if somebody does', async () => {
    const listener = await session();
    const sleeper = await session();
    await listener.client.query('listen intent_commands');
    const heard: string[] = [];
    listener.client.on('notification', ({ payload = '' }) => heard.push(payload));

    await submit();
    await listener.client.query('select 1');
    expect(heard).toEqual([]);

    await sleeper.takeSlot();
    const ringing = once(listener.client, 'notification');
    await submit();
    await ringing;
    expect(heard).toEqual(['']);
    await Promise.all([listener.end(), sleeper.end()]);
  });

  it('has a wait slot for four pumps, and tells a fifth to poll', async () => {
    const pumps = await Promise.all(Array.from({ length: 5 }, session));
    const slots: (number | null)[] = [];
    for (const pump of pumps) slots.push(await pump.takeSlot());
    expect(slots).toEqual([1, 2, 3, 4, null]);
    await pumps[1]!.wakeUp();
    expect(await pumps[4]!.takeSlot()).toBe(2);
    await Promise.all(pumps.map((pump) => pump.end()));
  });

  it('does not make a pump wait for a submission that stays open, but for one that ends soon', async () => {
    const open = await db.admin.connect();
    await open.query('begin');
    await open.query(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`, [JSON.stringify(claimsOf(tenant, 'owner'))]);
    const { type, aggregateType, aggregateId, payload } = placeOrder();
    await open.query('select api.submit_command(gen_random_uuid(), $1, $2, $3, $4)', [type, aggregateType, aggregateId, JSON.stringify(payload)]);
    const sleeper = await session();
    expect(await sleeper.takeSlot()).toBeNull();
    const waiting = sleeper.takeSlot();
    await open.query('commit');
    open.release();
    expect(await waiting).toBe(1);
    await sleeper.end();
  });

  it('loses no wake-up in 2,000 races of a sleeper and an inserter', async () => {
    await db.pump.query(`select count(*) from intent.claim_commands('drain', 1000, '1 h')`);
    const sleeper = await session();
    await sleeper.client.query('listen intent_commands');
    let rings = 0;
    sleeper.client.on('notification', () => (rings += 1));
    const inserter = new pg.Client(database.adminUrl);
    await inserter.connect();
    await inserter.query(`select set_config('role', 'authenticated', false), set_config('request.jwt.claims', $1, false)`, [JSON.stringify(claimsOf(tenant, 'owner'))]);
    const insert = () =>
      inserter.query(`select api.submit_command(gen_random_uuid(), 'PlaceOrder', 'order', gen_random_uuid()::text,
        '{"budgetId": "groceries", "lines": [{"item": "Bread", "quantity": 1, "unitPrice": 1}]}')`);
    const waiting = async () => (await sleeper.client.query<{ found: number }>(`select count(*)::int as found from intent.claim_commands('race', 10, '1 h')`)).rows[0]!.found;

    const lost: number[] = [];
    let ringsHeard = 0;
    for (let race = 0; race < 2_000; race += 1) {
      rings = 0;
      const inserting = insert();
      const slot = await sleeper.takeSlot();
      const found = slot === null ? 0 : await waiting();
      await inserting;
      // A session hears nothing within a transaction.
      if (slot !== null) await sleeper.wakeUp();
      // One more round trip: a NOTIFY of a commit before it has arrived by then.
      await sleeper.client.query('select 1');
      if (slot !== null && found === 0 && rings === 0) lost.push(race);
      ringsHeard += rings;
      if (found === 0) await waiting();
    }
    await Promise.all([sleeper.end(), inserter.end()]);
    expect(lost).toEqual([]);
    // Both ways out of the race have been taken, or it was none.
    expect(ringsHeard).toBeGreaterThan(0);
    expect(ringsHeard).toBeLessThan(2_000);
  }, 120_000);
});
