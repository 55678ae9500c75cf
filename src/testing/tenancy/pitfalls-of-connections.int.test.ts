import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommandStore } from '../../adapters/postgres/command-store.ts';
import { createTestDatabase } from '../database.ts';
import { connect } from '../tenant.ts';
import { claimsIn, commandId, createHouseholds, orderId, rose } from './households.ts';
import { rolledBack } from './rolled-back.ts';

// What one use of a pooled connection leaves to the next, and to who watches.
let db: ReturnType<typeof connect>;
let worker: pg.PoolClient;
let admin: pg.PoolClient;
beforeAll(async () => {
  db = connect(await createTestDatabase());
  worker = await db.worker.connect();
  admin = await db.admin.connect();
  await createHouseholds(admin);
});
afterAll(async () => {
  worker.release();
  admin.release();
  await db.end();
});

async function valueOf(client: pg.ClientBase, statement: string, values: readonly unknown[] = []): Promise<unknown> {
  const { rows } = await client.query<unknown[]>({ text: statement, values: [...values], rowMode: 'array' });
  return rows[0]?.[0];
}

describe('pitfall 8: set_config(…, true) outside a transaction does nothing', () => {
  it('so claims that were set that way name no tenant, and the same within a transaction do', async () => {
    const tenantAfterClaims = async () => {
      await admin.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify(claimsIn(rose, rose.owner))]);
      return valueOf(admin, 'select intent.current_tenant_id()');
    };
    expect(await tenantAfterClaims()).toBeNull();
    expect(await rolledBack(admin, tenantAfterClaims)).toBe(rose.tenantId);
  });

  it('so each function of the worker enters its tenant by itself, and needs no transaction around it', async () => {
    expect(await valueOf(worker, `select intent.load_aggregate($1, 'order', $2, 1) ->> 'version'`, [rose.tenantId, orderId])).toBe('1');
  });
});

describe('pitfall 9: set_config(…, false) leaks into the pool', () => {
  const notes = '[{"type": "NoteTaken", "schemaVersion": 1, "payload": {}}]';
  const calls: readonly (readonly [string, string])[] = [
    ['load_aggregate', `select intent.load_aggregate($1, 'order', 'x', 1)`],
    ['load_command', `select intent.load_command($1, gen_random_uuid(), '{}')`],
    ['append_events', `select intent.append_events($1, 'note', 'x', null, '${notes}')`],
    ['append_or_catch_up', `select intent.append_or_catch_up($1, 'note', 'x', null, '${notes}', null)`],
    ['save_snapshot', `select intent.save_snapshot($1, 'note', 'x', 1, 1, '{}')`],
    [
      'submit_system_command',
      `select intent.submit_system_command($1, gen_random_uuid(), 'OpenBudget', 'budget', 'x', '{}', null, null)`,
    ],
  ];
  const left = () => valueOf(worker, `select coalesce(current_setting('intent.tenant_id', true), '')`);

  it.each(calls)('%s leaves no tenant on the connection', async (_, call) => {
    await worker.query(call, [rose.tenantId]);
    expect(await left()).toBe('');
  });

  it('neither does one that fails', async () => {
    const rejection = worker.query(`select intent.reject_command($1, gen_random_uuid(), 'NO', 'No.', '{}')`, [rose.tenantId]);
    await expect(rejection).rejects.toMatchObject({ code: 'IN404' });
    expect(await left()).toBe('');
  });

  it('and one that set it for the session would be seen here', async () => {
    const enterTenant = `pg_get_functiondef('intent.enter_tenant(uuid)'::regprocedure)`;
    const ours = await valueOf(admin, `select ${enterTenant}`);
    await admin.query(String(ours).replace(', true)', ', false)'));
    await worker.query(calls[0]![1], [rose.tenantId]);
    await admin.query(String(ours));
    expect(await left()).toBe(rose.tenantId);
    await worker.query('reset all');
  });
});

describe('pitfall 24: pg_stat_activity shows queries: bind parameters', () => {
  const shownTo = async (viewer: pg.ClientBase) => valueOf(viewer, 'select query from pg_stat_activity where pid = $1', [workerPid]);
  let workerPid: unknown;
  beforeAll(async () => {
    workerPid = await valueOf(worker, 'select pg_backend_pid()');
  });

  it('what the worker sends has neither a tenant nor a payload in its text', async () => {
    const store = createCommandStore({ pool: worker as unknown as pg.Pool });
    await store.load({ tenantId: rose.tenantId, commandId }, { order: 1 });
    expect(await shownTo(admin)).toBe('select intent.load_command($1, $2, $3, $4) as value');
    await worker.query(`select intent.load_command('${rose.tenantId}', '${commandId}', '{}')`);
    expect(await shownTo(admin)).toContain(rose.tenantId);
  });

  it.each(['pump', 'operator'] as const)('and the %s does not see the queries of other logins', async (login) => {
    const viewer = await db[login].connect();
    expect(await shownTo(viewer)).toBe('<insufficient privilege>');
    viewer.release();
  });
});
