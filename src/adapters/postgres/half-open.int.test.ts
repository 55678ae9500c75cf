import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { StoreUnavailable } from '../../ports/errors.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../../testing/tcp-proxy.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../../testing/tenant.ts';
import { createCommandQueue } from './command-queue.ts';
import { createDoorbell } from './doorbell.ts';
import { createPool } from './pool.ts';

const log = pino({ level: 'silent' });

let database: TestDatabase;
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
let proxy: TcpProxy;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  tenant = await createTenant(db.admin);
  const { hostname: host, port } = new URL(database.adminUrl);
  proxy = await startTcpProxy({ host, port: Number(port) });
});
afterAll(async () => {
  await proxy.stop();
  await db.end();
});

const proxiedUrl = () => throughProxy(database.urlFor('intent_pump'), proxy);

it('a statement on a half-open connection is a fault that passes, and the next one gets another connection', async () => {
  const pool = createPool({ connectionString: proxiedUrl(), applicationName: 'test', maxConnections: 1, log, queryTimeoutMs: 200 });
  const queue = createCommandQueue({ pool, pumpName: 'test' });
  await queue.claim(1);
  proxy.deafen();
  await expect(queue.claim(1)).rejects.toThrow(StoreUnavailable);
  expect(await queue.claim(1)).toEqual([]);
  await pool.end();
});

it('a doorbell whose connection is half-open finds out by itself, and hears again', async () => {
  const doorbell = await createDoorbell({ connectionString: proxiedUrl(), pool: db.pump, log, checkIntervalMs: 100 });
  expect(doorbell.isListening()).toBe(true);
  proxy.deafen();
  await vi.waitFor(() => expect(doorbell.isListening()).toBe(false), { timeout: 5_000, interval: 5 });
  await vi.waitFor(() => expect(doorbell.isListening()).toBe(true), { timeout: 5_000, interval: 5 });
  const slot = await doorbell.takeWaitSlot();
  const sleeping = slot.wait(20_000, new AbortController().signal);
  await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('heard'));
  expect(await sleeping).toBe(true);
  await slot.release();
  await doorbell.close();
});

it('a submission whose connection goes deaf before its commit holds up whoever sends it again for some seconds only', { timeout: 20_000 }, async () => {
  const claims = claimsOf(tenant, 'owner');
  const command = { ...openBudget('held'), commandId: randomUUID() };
  const deaf = new pg.Client(throughProxy(database.urlFor('authenticator'), proxy));
  deaf.on('error', () => {});
  await deaf.connect();
  await deaf.query('begin');
  await deaf.query(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`, [JSON.stringify(claims)]);
  const { commandId, type, aggregateType, aggregateId, payload } = command;
  await deaf.query('select api.submit_command($1, $2, $3, $4, $5)', [commandId, type, aggregateType, aggregateId, JSON.stringify(payload)]);
  proxy.deafen();

  expect(await submitAs(db.admin, claims, command)).toMatchObject({ commandId, duplicate: false });
});
