import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from './database.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from './tenant.ts';

// What SECURITY.md says of anyone who has got hold of the password of a login role.
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
const budget = 'groceries';
const command = { ...openBudget(budget), commandId: randomUUID() };

beforeAll(async () => {
  db = connect(await createTestDatabase());
  tenant = await createTenant(db.admin);
  await submitAs(db.admin, claimsOf(tenant, 'owner'), command);
});
afterAll(() => db.end());

const deny = '42501';
const thief = randomUUID();

/** Each with the tenant as $1. */
const calls = {
  'read a table': `select from intent.events where tenant_id = $1`,
  'look into a table after entering the tenant':
    `with entered as (select set_config('intent.tenant_id', $1, false)) select from entered, intent.commands`,
  'become another role': `select set_config('role', 'intent_owner', false), $1::text`,
  'become a member': `select intent.add_member($1, '${thief}', 'owner')`,
  'send a command as a person': `select api.submit_command(gen_random_uuid(), 'OpenBudget', 'budget', $1::text, '{}')`,
  "read a tenant's feed": `select intent.tenant_feed($1)`,
  'list the tenants': `select tenant_id from intent.tenants where tenant_id <> $1`,
  'read a stream': `select intent.load_aggregate($1, 'budget', '${budget}', 1)`,
  'append events': `select intent.append_events($1, 'budget', '${budget}', null, '[]')`,
  'claim commands': `select intent.claim_commands('thief', 1, '1 minute') from (values ($1)) as tenant`,
  'change the past': `update intent.events set payload = '{}' where tenant_id = $1`,
  'remove the record of it': `delete from intent.operator_log where tenant_id = $1`,
} as const;

type Call = keyof typeof calls;

const thefts: { readonly login: 'pump' | 'worker' | 'operator'; readonly may: readonly Call[] }[] = [
  { login: 'pump', may: ['claim commands'] },
  { login: 'worker', may: ['read a stream', 'append events'] },
  { login: 'operator', may: ['become a member', "read a tenant's feed"] },
];

describe.each(thefts)("whoever has the $login's password", ({ login, may }) => {
  it.each((Object.keys(calls) as Call[]).filter((call) => !may.includes(call)))('cannot %s', async (call) => {
    await expect(db[login].query(calls[call], [tenant.tenantId])).rejects.toMatchObject({ code: deny });
  });
});

describe('what they can do', () => {
  it('shows the pump who waits for what, and no payload', async () => {
    const { rows } = await db.pump.query<Record<string, unknown>>(`select * from intent.claim_commands('thief', 10, '1 minute')`);
    expect(rows).toEqual([expect.objectContaining({ tenant_id: tenant.tenantId, command_id: command.commandId, type: 'OpenBudget' })]);
    expect(JSON.stringify(rows)).not.toContain(command.payload.name);
  });

  it('lets the worker read and add to the history of any tenant whose id it knows', async () => {
    const event = { type: 'BudgetOpened', schemaVersion: 1, payload: { name: 'Forged', limit: 1 }, metadata: {} };
    const ids = [tenant.tenantId, budget];
    await db.worker.query(`select intent.append_events($1, 'budget', $2, 0, $3)`, [...ids, JSON.stringify([event])]);
    const load = `select intent.load_aggregate($1, 'budget', $2, 1) as stream`;
    const { rows } = await db.worker.query<{ stream: unknown }>(load, ids);
    expect(rows[0]!.stream).toMatchObject({ version: 1, events: [{ payload: { name: 'Forged' } }] });
  });

  it('leaves a record of each thing that the operator does', async () => {
    await db.operator.query(calls["read a tenant's feed"], [tenant.tenantId]);
    await db.operator.query(calls['become a member'], [tenant.tenantId]);
    const { rows } = await db.admin.query(
      `select action, details from intent.operator_log where tenant_id = $1 and asked_by = 'intent_operator' order by asked_at`,
      [tenant.tenantId],
    );
    expect(rows).toMatchObject([{ action: 'tenant_feed' }, { action: 'add_member', details: { userId: thief, role: 'owner' } }]);
  });
});
