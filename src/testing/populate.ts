import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { append, noted } from './appends.ts';
import { claimsOf, createTenant, openBudget, placeOrder, submitAs, type SubmittedCommand, type TestTenant } from './tenant.ts';

export interface Population {
  readonly tenant: TestTenant;
  readonly orderId: string;
  readonly succeeded: SubmittedCommand;
  readonly pending: SubmittedCommand;
  readonly claimed: { readonly commandId: string; readonly fencingToken: number };
}

/** A tenant with something of everything, by our functions: each status of a command, two streams, read models, a snapshot. */
export async function populate(admin: Pool): Promise<Population> {
  const tenant = await createTenant(admin);
  const { tenantId } = tenant;
  const owner = claimsOf(tenant, 'owner');
  const budget = openBudget('groceries');
  const opened = await submitAs(admin, owner, budget);
  await append(admin, tenantId, { ...budget, expectedVersion: 0, events: [{ type: 'BudgetOpened', payload: budget.payload }], commandId: opened.commandId });

  const order = placeOrder();
  const succeeded = await submitAs(admin, owner, order);
  const placed = { ...order.payload, total: 700, placedBy: tenant.members.owner, needsApproval: false };
  await append(admin, tenantId, { ...order, expectedVersion: 0, events: [{ type: 'OrderPlaced', payload: placed }, noted()], commandId: succeeded.commandId });
  await admin.query(`select intent.save_snapshot($1, 'order', $2, 2, 1, '{"status": "placed"}')`, [tenantId, order.aggregateId]);

  const rejected = await submitAs(admin, owner, placeOrder());
  await admin.query(`select intent.reject_command($1, $2, 'NOT_ALLOWED', 'no', null)`, [tenantId, rejected.commandId]);
  const failed = await submitAs(admin, owner, placeOrder());
  await admin.query(`select intent.fail_command($1, $2, '{"name": "Bug"}')`, [tenantId, failed.commandId]);
  await submitAs(admin, owner, { ...placeOrder(), executeAt: new Date(Date.now() + 86_400_000).toISOString() });

  const claimed = await submitAs(admin, owner, placeOrder());
  const { rows } = await admin.query<{ fencing_token: string }>(`select fencing_token from intent.claim_commands('a pump', 1, '1 hour')`);
  const pending = await submitAs(admin, owner, { ...placeOrder(order.aggregateId), commandId: randomUUID() });
  return { tenant, orderId: order.aggregateId, succeeded, pending, claimed: { commandId: claimed.commandId, fencingToken: Number(rows[0]!.fencing_token) } };
}

export type Rows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

/** Every row of our tables, as JSON; with `columns` those columns only: the ones that `columns` has. */
export async function everyRow(admin: Pool, columns?: Rows): Promise<Rows> {
  const tables = await admin.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'intent'::regnamespace and relkind in ('r', 'p') and not relispartition`);
  const all: Record<string, Record<string, unknown>[]> = {};
  for (const { name } of tables.rows) {
    const { rows } = await admin.query<{ row: Record<string, unknown> }>(`select to_jsonb(t) as row from intent.${name} as t`);
    const known = columns?.[name]?.[0];
    const kept = rows.map(({ row }) => (known === undefined ? row : Object.fromEntries(Object.keys(known).map((column) => [column, row[column]]))));
    all[name] = kept.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  }
  return all;
}
