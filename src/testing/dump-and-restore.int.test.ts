import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { append, noted } from './appends.ts';
import { createTestDatabase } from './database.ts';
import type { EmptyDatabase } from './empty-database.ts';
import { needs } from './needs.ts';
import { createIcuDatabase, unlikeInOrder } from './other-collation.ts';
import { findPgDump } from './pg-dump.ts';
import { everyRow, populate, type Population } from './populate.ts';
import { createScratchDirectory } from './scratch-directory.ts';
import { claimsOf, connect, placeOrder, queryAs, submitAs } from './tenant.ts';

const programs = findPgDump();

describe('a dump that is restored into a database of another collation', { ...needs(programs, 'pg_dump 17 is not installed'), timeout: 60_000 }, () => {
  let original: ReturnType<typeof connect>;
  let restored: EmptyDatabase;
  let admin: pg.Pool;
  let population: Population;

  beforeEach(async () => {
    const database = await createTestDatabase();
    original = connect(database);
    population = await populate(original.admin);
    for (const aggregateId of unlikeInOrder) await append(original.admin, population.tenant.tenantId, note(aggregateId, 0));
    restored = await createIcuDatabase();
    const scratch = await createScratchDirectory();
    await programs!.copy(database.adminUrl, restored.adminUrl, join(scratch.path, 'dump'));
    scratch.remove();
    admin = new pg.Pool({ connectionString: restored.adminUrl });
  });
  afterEach(async () => {
    await admin.end();
    await original.end();
    await restored.drop();
  });

  const note = (aggregateId: string, expectedVersion: number) => ({ aggregateType: 'note', aggregateId, expectedVersion, events: [noted()] });

  it('has every row, and nothing that is out of order', async () => {
    expect(await everyRow(admin)).toEqual(await everyRow(original.admin));
    expect((await admin.query('select problem, object from intent.doctor()')).rows).toEqual([]);
    expect((await admin.query('select * from intent.read_model_drift($1)', [population.tenant.tenantId])).rows).toEqual([]);
    expect((await admin.query(`select datlocprovider as provider from pg_database where datname = current_database()`)).rows).toEqual([{ provider: 'i' }]);
  });

  it('goes on where the dump was taken: streams, first results, claims, the queue, and each of its refusals', async () => {
    const { tenant, orderId, succeeded, pending, claimed } = population;
    const owner = claimsOf(tenant, 'owner');
    for (const aggregateId of unlikeInOrder) {
      expect(await append(admin, tenant.tenantId, note(aggregateId, 1))).toMatchObject({ firstVersion: 2 });
      await expect(append(admin, tenant.tenantId, note(aggregateId, 1))).rejects.toMatchObject({ code: 'IN001' });
    }
    expect(await submitAs(admin, owner, { ...placeOrder(orderId), commandId: succeeded.commandId })).toMatchObject({ duplicate: true, status: 'succeeded' });
    await expect(submitAs(admin, owner, { ...placeOrder(), commandId: succeeded.commandId })).rejects.toMatchObject({ code: 'IN409' });
    expect((await admin.query('select intent.mark_dispatched($1, $2, $3) as done', [tenant.tenantId, claimed.commandId, claimed.fencingToken])).rows).toEqual([{ done: true }]);
    expect((await admin.query(`select command_id from intent.claim_commands('a pump', 10, '1 minute')`)).rows).toEqual([{ command_id: pending.commandId }]);
    const appended = { aggregateType: 'order', aggregateId: orderId, expectedVersion: 2, events: [noted()], commandId: pending.commandId };
    expect(await append(admin, tenant.tenantId, appended)).toMatchObject({ firstVersion: 3, duplicate: false });
    const [hydrated] = await queryAs<{ stream: unknown }>(admin, owner, `select api.hydrate('order', $1, 1) as stream`, [orderId]);
    expect(hydrated!.stream).toMatchObject({ version: 3, snapshot: { version: 2 }, events: [{ version: 3 }] });
  });

  it('claims what waits behind a long queue, aggregate by aggregate', async () => {
    const { tenant } = population;
    const behind = 300;
    const first = `busy-${randomUUID()}`;
    for (let n = 0; n < behind; n += 1) await submitAs(admin, claimsOf(tenant, 'owner'), budget(first));
    const free: string[] = [];
    for (const aggregateId of ['zz', 'z-z', 'a0', 'a-0']) free.push((await submitAs(admin, claimsOf(tenant, 'owner'), budget(aggregateId))).commandId);
    const given = new Set<string>();
    for (let n = 0; n < 6; n += 1) {
      const { rows } = await admin.query<{ command_id: string }>(`select command_id from intent.claim_commands('a pump', 10, '1 minute')`);
      for (const { command_id } of rows) given.add(command_id);
    }
    expect(free.filter((commandId) => !given.has(commandId))).toEqual([]);
  });

  const budget = (aggregateId: string) => ({ type: 'OpenBudget', aggregateType: 'budget', aggregateId, payload: { name: 'Groceries', limit: 1 } });
});
