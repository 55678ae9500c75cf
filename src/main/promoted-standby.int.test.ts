import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clusterVariables } from '../testing/cluster/cluster-variables.ts';
import { type MainProcess, startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { type OwnDatabase, startOwnDatabase } from '../testing/own-database.ts';
import { createScratchDirectory, type ScratchDirectory } from '../testing/scratch-directory.ts';
import { type Standby, startStandby } from '../testing/standby.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../testing/tcp-proxy.ts';
import { claimsOf, createTenant, openBudget, queryAs, submitAs, type TestTenant } from '../testing/tenant.ts';
import { startTestTemporal } from '../testing/temporal.ts';

// A primary with a hot standby. Clients and worker reach either by one address, which moves when the standby is promoted.
const temporal = await startTestTemporal();
afterAll(() => temporal?.stop());
const senders = 4;

let scratch: ScratchDirectory;
let primary: OwnDatabase;
beforeAll(async () => {
  scratch = await createScratchDirectory();
  primary = await startOwnDatabase(scratch.path);
}, 60_000);
afterAll(async () => {
  await primary.stop();
  scratch.remove();
});

let standby: Standby;
let address: { host: string; port: number };
let proxy: TcpProxy;
let clients: pg.Pool;
let tenant: TestTenant;
let worker: MainProcess;

beforeEach(async () => {
  tenant = await createTenant(primary.admin);
  standby = await startStandby(primary, scratch.path);
  address = { host: '127.0.0.1', port: primary.port };
  proxy = await startTcpProxy(address);
  clients = new pg.Pool({ connectionString: throughProxy(standby.server.adminUrl('intent'), proxy), connectionTimeoutMillis: 2_000, max: senders + 2 });
  clients.on('error', () => {});
  clients.on('connect', (client) => client.on('error', () => {}));
}, 60_000);
afterEach(async () => {
  await worker.stop();
  await clients.end();
  await proxy.stop();
  await primary.restart('fast');
  await standby.remove();
}, 60_000);

async function startWorker(engine: 'inline' | 'temporal'): Promise<void> {
  const env: Record<string, string> = engine === 'inline'
    ? { INTENT_ENGINE: 'inline' }
    : { TEMPORAL_ADDRESS: temporal!.address, INTENT_TASK_QUEUES: '1', INTENT_PUMP: 'embedded' };
  worker = await startMainProcess('worker', { urlFor: (role) => throughProxy(primary.urlFor(role), proxy) }, env);
  await worker.ready();
}

/** Commands from several clients, each of which sends a command again under its id until it is acknowledged. */
function startLoad() {
  const acknowledged: string[] = [];
  let isOver = false;
  const send = async () => {
    while (!isOver) {
      const commandId = randomUUID();
      for (let isSent = false; !isSent; ) {
        isSent = await submit(commandId).then(() => true, () => pause(50, false));
        if (isOver && !isSent) return;
      }
      acknowledged.push(commandId);
    }
  };
  const sending = Array.from({ length: senders }, send);
  return {
    acknowledged,
    async end() {
      isOver = true;
      await Promise.all(sending);
    },
  };
}

const submit = (commandId: string) => submitAs(clients, claimsOf(tenant, 'owner'), { ...openBudget(commandId), commandId });

/** The primary is gone; the standby takes its place at the address of both. */
async function failOver(): Promise<void> {
  await primary.crash();
  await standby.promote();
  address.port = standby.server.port;
  proxy.cut();
}

/** Of these commands, those that the database has, by how they stand. */
async function statusesOf(commandIds: readonly string[]): Promise<Record<string, string>> {
  const { rows } = await clients.query<{ id: string; status: string }>('select command_id as id, status from intent.commands where command_id = any ($1)', [commandIds]);
  return Object.fromEntries(rows.map(({ id, status }) => [id, status]));
}

/** Each has succeeded, with one event, and nothing is out of order. */
async function expectEachOnce(commandIds: readonly string[]): Promise<void> {
  const open = async () => {
    const statuses = await statusesOf(commandIds);
    return commandIds.filter((id) => statuses[id] !== 'succeeded').map((id) => statuses[id] ?? 'gone');
  };
  await expect.poll(open, { timeout: 30_000 }).toEqual([]);
  const { rows } = await clients.query<{ id: string }>(`select metadata ->> 'commandId' as id from intent.events where metadata ->> 'commandId' = any ($1) order by 1`, [commandIds]);
  expect(rows.map(({ id }) => id)).toEqual(commandIds.toSorted());
  expect((await clients.query(`select problem, object, detail from intent.doctor()`)).rows).toEqual([]);
}

const enough = (acknowledged: readonly string[], count: number) => expect.poll(() => acknowledged.length, { timeout: 30_000, interval: 10 }).toBeGreaterThan(count);

it('nothing acknowledged is lost if commits wait for the standby that is promoted under load, and all of it is executed once', { timeout: 120_000 }, async () => {
  await standby.beSynchronous();
  await startWorker(temporal === undefined ? 'inline' : 'temporal');
  const load = startLoad();
  await enough(load.acknowledged, 60);
  await failOver();
  await enough(load.acknowledged, load.acknowledged.length + 40);
  await load.end();
  await expectEachOnce(load.acknowledged);
  await expect.poll(async () => (await worker.get('/readyz'))?.status, { timeout: 20_000 }).toBe(200);
});

it('while the only synchronous standby is away everything waits, nothing is said to be done, and then all goes on', { timeout: 120_000 }, async () => {
  await standby.beSynchronous();
  await startWorker('inline');
  const load = startLoad();
  await enough(load.acknowledged, 30);
  standby.replication.become('frozen');
  await pause(500);
  const before = load.acknowledged.length;
  // Longer than the worker waits for any statement.
  await pause(12_000);
  expect(load.acknowledged.length).toBe(before);
  standby.replication.become('open');
  await enough(load.acknowledged, before + 30);
  await load.end();
  await expectEachOnce(load.acknowledged);
});

describe('where commits do not wait for the standby, and its connection was down', needs(temporal, 'there is no Temporal'), () => {
  it('what is lost when it is promoted is noticed by clients and by Temporal, and executed when it is sent again', { timeout: 120_000 }, async () => {
    await startWorker('temporal');
    const load = startLoad();
    await enough(load.acknowledged, 20);
    await load.end();
    await expectEachOnce(load.acknowledged);
    await caughtUp();
    standby.replication.become('closed');
    const lost = [randomUUID(), randomUUID()];
    for (const commandId of lost) await submit(commandId);
    await expectEachOnce(lost);
    const seen = await headOf();
    await failOver();

    await expect.poll(() => statusesOf(lost).catch(() => undefined), { timeout: 20_000 }).toEqual({});
    await expectEachOnce(load.acknowledged);
    // By this a client knows that it is ahead of the log.
    expect(await headOf()).toBeLessThan(seen);
    const orphans = await listOrphans();
    for (const commandId of lost) expect(orphans).toContain(`${tenant.tenantId}/command/${commandId}`);
    expect(orphans.split(tenant.tenantId)).toHaveLength(lost.length + 1);
    for (const commandId of lost) expect(await submit(commandId)).toMatchObject({ duplicate: false });
    await expectEachOnce([...load.acknowledged, ...lost]);
  });
});

async function caughtUp(): Promise<void> {
  const behind = async () => (await primary.admin.query<{ behind: string }>('select pg_current_wal_flush_lsn() - replay_lsn as behind from pg_stat_replication')).rows[0]?.behind;
  await expect.poll(behind, { timeout: 10_000 }).toBe('0');
}

async function headOf(): Promise<number> {
  const [row] = await queryAs<{ feed: { headPosition: number } }>(clients, claimsOf(tenant, 'owner'), 'select api.read_feed(0, 1) as feed');
  return row!.feed.headPosition;
}

async function listOrphans(): Promise<string> {
  const env = { ...clusterVariables(), PATH: process.env['PATH'], DATABASE_URL: throughProxy(primary.urlFor('intent_operator'), proxy), TEMPORAL_ADDRESS: temporal!.address };
  const child = spawn(process.execPath, ['src/cli/intent.ts', 'orphans'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [listed] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return listed;
}
