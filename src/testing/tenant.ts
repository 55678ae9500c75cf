import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Role } from '../domain/kernel/message.ts';
import type { TestDatabase } from './database.ts';

export interface TestTenant {
  readonly tenantId: string;
  readonly members: Readonly<Record<Role, string>>;
}

/** A new tenant with an owner, a member and a guest, who are new users. */
export async function createTenant(admin: pg.Pool, isolation: 'shared' | 'dedicated' = 'shared'): Promise<TestTenant> {
  const tenantId = randomUUID();
  const members = { owner: randomUUID(), member: randomUUID(), guest: randomUUID() };
  await admin.query('select intent.create_tenant($1, $2, $3)', [tenantId, `Tenant ${tenantId}`, isolation]);
  for (const [role, userId] of Object.entries(members)) {
    await admin.query('select intent.add_member($1, $2, $3)', [tenantId, userId, role]);
  }
  return { tenantId, members };
}

export interface Claims {
  readonly sub?: unknown;
  readonly tenant_id?: unknown;
  readonly session_id?: string;
}

/** Runs a statement as PostgREST would for these claims, and commits. */
export async function queryAs<Row extends pg.QueryResultRow>(
  admin: pg.Pool,
  claims: Claims,
  statement: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = await admin.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`, [
      JSON.stringify({ role: 'authenticated', ...claims }),
    ]);
    const { rows } = await client.query<Row>(statement, [...values]);
    await client.query('commit');
    return rows;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

export function claimsOf(tenant: TestTenant, role: Role): Claims {
  return { sub: tenant.members[role], tenant_id: tenant.tenantId };
}

export interface SubmittedCommand {
  readonly commandId: string;
  readonly status: string;
  readonly duplicate: boolean;
  readonly outcome: unknown;
}

interface CommandToSubmit {
  readonly commandId?: string;
  readonly type: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly payload: unknown;
  readonly expectedVersion?: number;
  readonly executeAt?: string;
}

/** `api.submit_command` as a member. */
export async function submitAs(admin: pg.Pool, claims: Claims, command: CommandToSubmit): Promise<SubmittedCommand> {
  const { commandId = randomUUID(), type, aggregateType, aggregateId, payload, expectedVersion, executeAt } = command;
  const [row] = await queryAs<{ answer: SubmittedCommand }>(
    admin,
    claims,
    `select api.submit_command($1, $2, $3, $4, $5, expected_version => $6, execute_at => $7) as answer`,
    [commandId, type, aggregateType, aggregateId, JSON.stringify(payload), expectedVersion, executeAt],
  );
  return row!.answer;
}

export function openBudget(aggregateId: string, limit = 1000) {
  return { type: 'OpenBudget', aggregateType: 'budget', aggregateId, payload: { name: 'Groceries', limit } } as const;
}

export function placeOrder(aggregateId: string = randomUUID()) {
  const lines = [{ item: 'Bread', quantity: 2, unitPrice: 350 }];
  return { type: 'PlaceOrder', aggregateType: 'order', aggregateId, payload: { budgetId: 'groceries', lines } } as const;
}

/** Pools of one test database: the administrator's, and those of the login roles. */
export function connect(database: TestDatabase) {
  const pools = {
    admin: new pg.Pool({ connectionString: database.adminUrl }),
    pump: new pg.Pool({ connectionString: database.urlFor('intent_pump') }),
    worker: new pg.Pool({ connectionString: database.urlFor('intent_worker') }),
    operator: new pg.Pool({ connectionString: database.urlFor('intent_operator') }),
  };
  for (const pool of Object.values(pools)) {
    // Tests end sessions on purpose; a pool without a listener would throw what an idle one hears then.
    pool.on('error', () => {});
    pool.on('connect', (client) => client.on('error', () => {}));
  }
  return {
    ...pools,
    async end() {
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
      await database.drop();
    },
  };
}
