import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { append, misnumbered, noted, type Append } from '../../testing/appends.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { startTcpProxy, throughProxy, type TcpProxy } from '../../testing/tcp-proxy.ts';
import { claimsOf, connect, createTenant, placeOrder, submitAs, type TestTenant } from '../../testing/tenant.ts';

let db: ReturnType<typeof connect>;
let proxy: TcpProxy;
let proxiedUrl: string;
let tenant: TestTenant;

beforeAll(async () => {
  const database = await createTestDatabase();
  db = connect(database);
  const { hostname, port } = new URL(database.adminUrl);
  proxy = await startTcpProxy({ host: hostname, port: Number(port) });
  proxiedUrl = throughProxy(database.urlFor('intent_worker'), proxy);
});
beforeEach(async () => {
  tenant = await createTenant(db.admin);
});
afterAll(async () => {
  await proxy.stop();
  await db.end();
});

async function submitted(): Promise<Append> {
  const order = placeOrder();
  const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'member'), order);
  return { aggregateType: 'order', aggregateId: order.aggregateId, expectedVersion: 0, events: [noted()], commandId };
}

async function proxiedWorker(options: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: proxiedUrl, ...options });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function expectDoneOnce(what: Append) {
  const again = append(db.worker, tenant.tenantId, { ...what, events: [noted('decided otherwise'), noted()] });
  expect(await again).toEqual({ firstVersion: 1, lastVersion: 1, firstPosition: 1, lastPosition: 1, duplicate: true });
  const { rows } = await db.admin.query('select payload from intent.events where tenant_id = $1', [tenant.tenantId]);
  expect(rows).toEqual([{ payload: { note: 'x' } }]);
}

describe('an append whose answer is lost', () => {
  it('because the connection breaks after the commit is done: repeating the command gets the first result', async () => {
    const what = await submitted();
    const client = await proxiedWorker();
    const lost = proxy.loseNextAnswer('cut');
    await expect(append(client, tenant.tenantId, what)).rejects.toThrow(/terminated|reset/i);
    await lost;
    await expectDoneOnce(what);
  });

  it('at the COMMIT of a transaction of several statements: repeating the command gets the first result', async () => {
    const what = await submitted();
    const client = await proxiedWorker();
    await client.query('begin');
    await append(client, tenant.tenantId, what);
    const lost = proxy.loseNextAnswer('cut');
    await expect(client.query('commit')).rejects.toThrow(/terminated|reset/i);
    await lost;
    await expectDoneOnce(what);
  });

  it('because the connection stalls: the worker gives up, and repeating the command gets the first result', async () => {
    const what = await submitted();
    const client = await proxiedWorker({ query_timeout: 500 });
    const lost = proxy.loseNextAnswer('stall');
    await expect(append(client, tenant.tenantId, what)).rejects.toThrow(/timeout/i);
    await lost;
    await expectDoneOnce(what);
    proxy.cut();
  });
});

describe('a connection that breaks before the COMMIT', () => {
  it('undoes the append: the next one takes its version and position', async () => {
    const what = await submitted();
    const client = await proxiedWorker();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    await client.query('begin');
    await append(client, tenant.tenantId, what);
    proxy.cut();
    // Its tenant's lock is free when the server has noticed: this append waits for that, and for nothing else.
    expect(await append(db.worker, tenant.tenantId, what)).toMatchObject({ firstPosition: 1, duplicate: false });
    expect(await misnumbered(db.admin)).toEqual([]);
    expect((await db.admin.query(`select from pg_locks where pid = $1 and locktype = 'advisory'`, [rows[0]!.pid])).rowCount).toBe(0);
  });
});
