import { setImmediate as nextTurn } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append, misnumbered, noted } from '../../testing/appends.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { claimsOf, connect, createTenant, placeOrder, submitAs } from '../../testing/tenant.ts';

const writers = 32;

let database: TestDatabase;
let db: ReturnType<typeof connect>;
let workers: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  workers = new pg.Pool({ connectionString: database.urlFor('intent_worker'), max: writers });
  workers.on('connect', (client) => client.on('error', () => {}));
});
afterAll(async () => {
  await workers.end();
  await db.end();
});

const count = async (tenantId: string) => {
  const { rows } = await db.admin.query<{ count: number }>('select count(*)::int from intent.events where tenant_id = $1', [tenantId]);
  return rows[0]!.count;
};

async function submitted(tenant: Awaited<ReturnType<typeof createTenant>>) {
  const order = placeOrder();
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'member'), order);
  return { aggregateType: 'order', aggregateId: order.aggregateId, expectedVersion: 0, events: [noted()], commandId };
}

describe('32 writers', () => {
  it('on one stream all settle, each after as many conflicts at most as there are others', async () => {
    const { tenantId } = await createTenant(db.admin);
    const write = async () => {
      let expectedVersion = 0;
      for (let attempt = 1; attempt <= writers; attempt += 1) {
        try {
          return (await append(workers, tenantId, { aggregateId: 'hot', expectedVersion, events: [noted(), noted()] })).firstVersion;
        } catch (error) {
          const { code, detail } = error as { code: string; detail: string };
          if (code !== 'IN001') throw error;
          ({ actualVersion: expectedVersion } = JSON.parse(detail) as { actualVersion: number });
        }
      }
      throw new Error(`did not settle within ${writers} attempts`);
    };
    const firstVersions = await Promise.all(Array.from({ length: writers }, write));
    expect(firstVersions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: writers }, (_, n) => 2 * n + 1));
    expect(await misnumbered(db.admin)).toEqual([]);
  });

  it('on many streams of several tenants, leave every stream and tenant numbered from 1', async () => {
    const tenants = await Promise.all(Array.from({ length: 4 }, () => createTenant(db.admin)));
    const write = async (writer: number) => {
      for (let n = 0; n < 10; n += 1) {
        const { tenantId } = tenants[(writer + n) % tenants.length]!;
        const streams = [0, 1, 2].map((offset) => `s${(writer * 7 + n + offset) % 9}`);
        for (const aggregateId of streams) await append(workers, tenantId, { aggregateId, expectedVersion: null, events: [noted(), noted()] });
      }
    };
    await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
    expect(await misnumbered(db.admin)).toEqual([]);
    for (const { tenantId } of tenants) expect(await count(tenantId)).toBe((writers / tenants.length) * 10 * 6);
  });

  it('that append for one command append once: the others get its result', async () => {
    const tenant = await createTenant(db.admin);
    const what = await submitted(tenant);
    const answers = await Promise.all(Array.from({ length: writers }, () => append(workers, tenant.tenantId, what)));
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(answers.map(({ firstPosition }) => firstPosition))).toEqual(new Set([1]));
    expect(await count(tenant.tenantId)).toBe(1);
  });
});

describe('a transaction that stays open elsewhere', () => {
  it('neither stalls appends nor hides them from readers, whether it writes here, in another database, or only reads', async () => {
    const other = await createTestDatabase();
    const [held, tenant] = [await createTenant(db.admin), await createTenant(db.admin)];
    const [here, elsewhere, reader] = [database, other, database].map(({ adminUrl }) => new pg.Client(adminUrl));
    const open = [here!, elsewhere!, reader!];
    for (const client of open) await client.connect();
    try {
      await here!.query('begin');
      await append(here!, held.tenantId, { aggregateId: 'open', expectedVersion: 0, events: [noted()] });
      await elsewhere!.query('begin; select pg_current_xact_id()');
      await reader!.query('begin isolation level repeatable read; select count(*) from intent.events');

      await Promise.all(Array.from({ length: writers }, (_, n) =>
        append(workers, tenant.tenantId, { aggregateId: `s${n % 5}`, expectedVersion: null, events: [noted(), noted()] })));
      // All of it, while the three are still open.
      const { rows } = await db.operator.query<{ position: string }>('select position from intent.tenant_feed($1)', [tenant.tenantId]);
      expect(rows.map(({ position }) => Number(position))).toEqual(Array.from({ length: writers * 2 }, (_, n) => n + 1));

      await here!.query('commit');
      await append(workers, held.tenantId, { aggregateId: 'open', expectedVersion: 1, events: [noted()] });
      await expect(reader!.query('select count(*)::int from intent.events where tenant_id = $1', [tenant.tenantId])).resolves.toMatchObject({ rows: [{ count: 0 }] });
      expect(await misnumbered(db.admin)).toEqual([]);
    } finally {
      await Promise.all(open.map((client) => client.end()));
      await other.drop();
    }
  });

  it.each(['repeatable read', 'serializable'])('and was begun as %s cannot append behind its snapshot: IN422, and nothing partial remains', async (isolation) => {
    const { tenantId } = await createTenant(db.admin);
    const client = await workers.connect();
    try {
      await client.query(`begin isolation level ${isolation}; select intent.load_aggregate('${tenantId}', 'note', 'a', 1)`);
      await append(workers, tenantId, { aggregateId: 'b', expectedVersion: 0, events: [noted()] });
      await expect(append(client, tenantId, { aggregateId: 'a', expectedVersion: 0, events: [noted()] })).rejects.toMatchObject({ code: 'IN422' });
    } finally {
      client.release(true);
    }
    expect(await append(workers, tenantId, { aggregateId: 'a', expectedVersion: 0, events: [noted()] })).toMatchObject({ firstPosition: 2 });
  });
});

describe('a backend that is killed', () => {
  it('between its append and its commit leaves no hole and no lock', async () => {
    const { tenantId } = await createTenant(db.admin);
    const { client, pid } = await connectedWorker();
    await client.query('begin');
    expect(await append(client, tenantId, { aggregateId: 'a', expectedVersion: 0, events: [noted(), noted()] })).toMatchObject({ lastPosition: 2 });
    await db.admin.query('select pg_terminate_backend($1, 5000)', [pid]);
    expect(await append(workers, tenantId, { aggregateId: 'a', expectedVersion: 0, events: [noted()] })).toMatchObject({ firstPosition: 1 });
    expect((await db.admin.query('select from pg_locks where pid = $1', [pid])).rowCount).toBe(0);
  });

  it('at any moment of its append has appended all or nothing, and repeating the command completes it once', async () => {
    const tenant = await createTenant(db.admin);
    const ends = { lost: 0, answered: 0 };
    for (let round = 1; round <= 12; round += 1) {
      const what = { ...(await submitted(tenant)), events: Array.from({ length: 200 }, () => noted()) };
      const { client, pid } = await connectedWorker();
      const outcome = append(client, tenant.tenantId, what).then(() => 'answered' as const, () => 'lost' as const);
      for (let turn = 0; turn < round; turn += 1) await nextTurn();
      await db.admin.query('select pg_terminate_backend($1, 5000)', [pid]);
      ends[await outcome] += 1;
      expect((await count(tenant.tenantId)) % 200).toBe(0);
      await append(workers, tenant.tenantId, what);
      expect(await count(tenant.tenantId)).toBe(200 * round);
    }
    expect(ends.lost).toBeGreaterThan(0);
    expect(await misnumbered(db.admin)).toEqual([]);
  });

  async function connectedWorker() {
    const client = new pg.Client(database.urlFor('intent_worker'));
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    return { client, pid: rows[0]!.pid };
  }
});
