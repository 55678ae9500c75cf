import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clusterVariables } from '../testing/cluster/cluster-variables.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { startProcessWorkers, startTestPump } from '../testing/fulfilment-engine.ts';
import { needs } from '../testing/needs.ts';
import { copyDatabase, dropDatabase } from '../testing/template-database.ts';
import { startTestTemporal } from '../testing/temporal.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../testing/tenant.ts';

const temporal = await startTestTemporal();
type Pools = ReturnType<typeof connect>;

describe('a database that is restored to an earlier time, while Temporal has moved on', needs(temporal, 'there is no Temporal'), () => {
  const [before, pending, after] = [randomUUID(), randomUUID(), randomUUID()];
  let database: TestDatabase;
  let backup: string;
  let tenant: TestTenant;

  beforeAll(async () => {
    database = await createTestDatabase();
    backup = `${database.name}_backup`;
    await serving(async (db) => {
      tenant = await createTenant(db.admin);
      await send(db, before, 'before');
      await ended(db, before);
    });
    await connected((db) => send(db, pending, 'pending'));
    await copyDatabase(database.adminUrl.replace(database.name, 'postgres'), database.name, backup);
    await serving(async (db) => {
      await ended(db, pending);
      await send(db, after, 'after');
      await ended(db, after);
    });
    await database.drop();
    await copyDatabase(database.adminUrl.replace(database.name, 'postgres'), backup, database.name);
  });
  afterAll(async () => {
    await temporal!.stop();
    await dropDatabase(database.adminUrl.replace(database.name, 'postgres'), backup);
    await database.drop();
  });

  /** Without anything that executes; the database stays. */
  async function connected(work: (db: Pools) => Promise<unknown>): Promise<void> {
    const db = connect({ ...database, drop: async () => {} });
    await work(db);
    await db.end();
  }

  function serving(work: (db: Pools) => Promise<void>): Promise<void> {
    return connected(async (db) => {
      const options = { temporal: temporal!, database, db };
      const [workers, pump] = await Promise.all([startProcessWorkers(options), startTestPump(options)]);
      await work(db);
      await pump.stop();
      await workers.stop();
    });
  }

  const send = (db: Pools, commandId: string, aggregateId: string) =>
    submitAs(db.admin, claimsOf(tenant, 'owner'), { commandId, ...openBudget(aggregateId) });

  async function ended(db: Pools, commandId: string): Promise<void> {
    const read = async () => (await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId])).rows[0]?.status;
    await vi.waitFor(async () => expect(await read()).toBe('succeeded'), { timeout: 20_000, interval: 50 });
  }

  async function listOrphans(): Promise<{ code: number | null; listed: string }> {
    const env = { ...clusterVariables(), PATH: process.env['PATH'], DATABASE_URL: database.urlFor('intent_operator'), TEMPORAL_ADDRESS: temporal!.address };
    const child = spawn(process.execPath, ['src/cli/intent.ts', 'orphans'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [listed, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number | null]>]);
    return { code, listed };
  }

  it('lists what it does not know any more, and nothing else', async () => {
    const { code, listed } = await listOrphans();
    expect(code).toBe(1);
    expect(listed).toContain(`COMPLETED   ${tenant.tenantId}/command/${after}`);
    expect(listed).toContain('1 found.');
  });

  it('executes again what it knows as open, and what is sent again under its id, each once', async () => {
    await serving(async (db) => {
      await ended(db, pending);
      expect(await send(db, after, 'after')).toMatchObject({ duplicate: false });
      await ended(db, after);
      const { rows } = await db.admin.query(`select aggregate_id, version::int, position::int from intent.events where tenant_id = $1 order by position`, [tenant.tenantId]);
      expect(rows).toEqual(['before', 'pending', 'after'].map((aggregate_id, index) => ({ aggregate_id, version: 1, position: index + 1 })));
    });
    expect(await listOrphans()).toEqual({ code: 0, listed: 'There are none.\n' });
  });
});
