import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../testing/database.ts';
import { expectSoon } from '../../testing/expect-soon.ts';
import { type Claims, claimsOf, connect, createTenant, openBudget, placeOrder, queryAs, submitAs, type TestTenant } from '../../testing/tenant.ts';

let db: ReturnType<typeof connect>;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
afterAll(() => db.end());

interface Claimed {
  readonly tenant_id: string;
  readonly command_id: string;
  readonly fencing_token: string;
}

async function claim(maxCommands = 100, lease = '30 seconds'): Promise<Claimed[]> {
  return (await db.pump.query<Claimed>('select * from intent.claim_commands($1, $2, $3)', ['pump', maxCommands, lease])).rows;
}
const ids = (claimed: readonly Claimed[]) => claimed.map(({ command_id }) => command_id);
async function report(functionName: string, { tenant_id, command_id, fencing_token }: Claimed): Promise<boolean> {
  const { rows } = await db.pump.query<{ done: boolean }>(`select intent.${functionName}($1, $2, $3) as done`, [tenant_id, command_id, fencing_token]);
  return rows[0]!.done;
}
const reject = (tenantId: string, commandId: string, code = 'NOT_ALLOWED') =>
  db.worker.query('select intent.reject_command($1, $2, $3, $4, null)', [tenantId, commandId, code, 'no']);
const fail = (tenantId: string, commandId: string) => db.worker.query(`select intent.fail_command($1, $2, '{"name": "Bug"}')`, [tenantId, commandId]);
const settleAll = async () => {
  for (const { tenant_id, command_id } of await claim(1000)) await reject(tenant_id, command_id);
};
const submit = (tenant: TestTenant, command = placeOrder(), more = {}) => submitAs(db.admin, claimsOf(tenant, 'owner'), { ...command, ...more });

describe('submit_command', () => {
  let tenant: TestTenant;
  let owner: Claims;
  beforeAll(async () => {
    tenant = await createTenant(db.admin);
    owner = claimsOf(tenant, 'owner');
  });
  afterAll(settleAll);

  it('returns the first row for the same command again, which is inserted once', async () => {
    const command = { ...placeOrder(), commandId: randomUUID() };
    expect(await submitAs(db.admin, owner, command)).toEqual({ commandId: command.commandId, status: 'pending', duplicate: false, outcome: null });
    expect(await submitAs(db.admin, owner, command)).toEqual({ commandId: command.commandId, status: 'pending', duplicate: true, outcome: null });
  });

  it('inserts once under 30 concurrent submissions of one command id', async () => {
    const command = { ...placeOrder(), commandId: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 30 }, () => submitAs(db.admin, owner, command)));
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
  });

  it('refuses the id with other content, or from another member, as IN409', async () => {
    const command = { ...placeOrder(), commandId: randomUUID() };
    await submitAs(db.admin, owner, command);
    await expect(submitAs(db.admin, owner, { ...command, aggregateId: randomUUID() })).rejects.toMatchObject({ code: 'IN409' });
    await expect(submitAs(db.admin, owner, { ...command, expectedVersion: 0 })).rejects.toMatchObject({ code: 'IN409' });
    await expect(submitAs(db.admin, claimsOf(tenant, 'member'), command)).rejects.toMatchObject({ code: 'IN409' });
  });

  it('takes the same id in another tenant as another command', async () => {
    const command = { ...placeOrder(), commandId: randomUUID() };
    await submitAs(db.admin, owner, command);
    const other = await createTenant(db.admin);
    expect(await submit(other, placeOrder(), { commandId: command.commandId })).toMatchObject({ duplicate: false });
  });

  it.each([
    ['an unknown type', { type: 'EatOrder' }, 'there is no command of type'],
    ['a type of another aggregate', { aggregateType: 'budget' }, 'is a command of the aggregate type order'],
    ['a malformed id', { aggregateId: 'not-a-uuid' }, 'aggregate_id is not the id'],
    ['a payload that is no object', { payload: [1] }, 'payload must be a JSON object'],
    ['a payload over 256 KiB', { payload: { text: 'x'.repeat(262_144) } }, 'over 256 KiB'],
    ['deep nesting', { payload: JSON.parse(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`) as object }, '32 levels'],
    ['a negative version', { expectedVersion: -1 }, 'expected_version'],
    ['a time that is not finite', { executeAt: 'infinity' }, 'execute_at'],
    ['a time over a year ahead', { executeAt: '2099-01-01' }, 'execute_at'],
  ])('refuses %s as IN422', async (_, change, message) => {
    await expect(submitAs(db.admin, owner, { ...placeOrder(), ...change })).rejects.toMatchObject({ code: 'IN422', message: expect.stringContaining(message) });
  });

  it('refuses a type that only the system sends as IN403, and leaves no row', async () => {
    const command = { type: 'ConfirmOrder', aggregateType: 'order', aggregateId: randomUUID(), payload: {}, commandId: randomUUID() };
    await expect(submitAs(db.admin, owner, command)).rejects.toMatchObject({ code: 'IN403' });
    const { rows } = await db.admin.query('select from intent.commands where command_id = $1', [command.commandId]);
    expect(rows).toHaveLength(0);
  });

  it('refuses whoever is no active member as IN403', async () => {
    const stranger = await createTenant(db.admin);
    for (const claims of [{}, { sub: stranger.members.owner, tenant_id: tenant.tenantId }, { ...owner, tenant_id: 'x' }, { ...owner, tenant_id: [tenant.tenantId] }]) {
      await expect(submitAs(db.admin, claims, placeOrder())).rejects.toMatchObject({ code: 'IN403' });
    }
    await db.admin.query(`update intent.memberships set status = 'removed' where user_id = $1`, [tenant.members.guest]);
    await expect(submitAs(db.admin, claimsOf(tenant, 'guest'), placeOrder())).rejects.toMatchObject({ code: 'IN403' });
  });

  it('refuses more commands a second than the tenant may send as IN429, but not a repetition', async () => {
    const limited = await createTenant(db.admin);
    await db.admin.query('update intent.tenants set commands_per_second = 3 where tenant_id = $1', [limited.tenantId]);
    const command = { ...placeOrder(), commandId: randomUUID() };
    await submit(limited, placeOrder(), command);
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => submit(limited)));
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ reason }) => (reason as { code: string }).code === 'IN429')).toBe(true);
    expect(await submit(limited, placeOrder(), command)).toMatchObject({ duplicate: true });
  });
});

describe('claim_commands', () => {
  it('takes one command of an aggregate at a time, in the order of submission', async () => {
    const tenant = await createTenant(db.admin);
    const orderId = randomUUID();
    const first = await submit(tenant, placeOrder(orderId));
    const second = await submit(tenant, placeOrder(orderId));
    expect(ids(await claim())).toEqual([first.commandId]);
    expect(await claim()).toEqual([]);
    await reject(tenant.tenantId, first.commandId);
    expect(ids(await claim())).toEqual([second.commandId]);
    await reject(tenant.tenantId, second.commandId);
  });

  it('never has two commands of one aggregate in flight under eight racing pumps', async () => {
    const tenant = await createTenant(db.admin);
    const orderIds = Array.from({ length: 5 }, () => randomUUID());
    for (let round = 0; round < 8; round += 1) await Promise.all(orderIds.map((orderId) => submit(tenant, placeOrder(orderId))));
    const inFlight = new Set<string>();
    const claimed = new Set<string>();
    const pump = async () => {
      while (claimed.size < 40) {
        for (const row of (await db.pump.query<Claimed & { aggregate_id: string }>(`select * from intent.claim_commands('p', 3, '30 s')`)).rows) {
          expect(inFlight).not.toContain(row.aggregate_id);
          expect(claimed).not.toContain(row.command_id);
          inFlight.add(row.aggregate_id);
          claimed.add(row.command_id);
          // Before the settlement commits: from then on the next one may be claimed.
          inFlight.delete(row.aggregate_id);
          await reject(row.tenant_id, row.command_id);
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, pump));
    expect(claimed.size).toBe(40);
  });

  it('serves every tenant before anybody twice, and remembers whose turn it was', async () => {
    const tenants = await Promise.all(Array.from({ length: 4 }, () => createTenant(db.admin)));
    const [loud, ...quiet] = tenants;
    for (let n = 0; n < 20; n += 1) await submit(loud!);
    for (const tenant of quiet) await submit(tenant);
    expect(new Set((await claim(4)).map(({ tenant_id }) => tenant_id))).toEqual(new Set(tenants.map(({ tenantId }) => tenantId)));
    for (const tenant of tenants) for (let n = 0; n < 4; n += 1) await submit(tenant);
    const served = [...(await claim(2)), ...(await claim(2))].map(({ tenant_id }) => tenant_id);
    expect(new Set(served).size).toBe(4);
    await settleAll();
  });

  it('gives no turn away to a tenant whose first command waits for a younger one in flight', async () => {
    const [one, other] = (await Promise.all([1, 2].map(() => createTenant(db.admin)))).toSorted((a, b) => a.tenantId.localeCompare(b.tenantId));
    const orderId = randomUUID();
    const older = await db.worker.connect();
    const olderId = randomUUID();
    await older.query('begin');
    await older.query(`select intent.submit_system_command($1, $2, 'RejectOrder', 'order', $3, '{"reason": "x"}', null, null, null)`, [one!.tenantId, olderId, orderId]);
    const younger = await submit(one!, placeOrder(orderId));
    expect(ids(await claim())).toEqual([younger.commandId]);
    await older.query('commit');
    older.release();
    for (let n = 0; n < 2; n += 1) await submit(other!);
    const claims = [await claim(1), await claim(1)];
    expect(claims.map((claimed) => claimed.map(({ tenant_id }) => tenant_id))).toEqual([[other!.tenantId], [other!.tenantId]]);
    await reject(one!.tenantId, younger.commandId);
    expect(ids(await claim(1))).toEqual([olderId]);
    for (const [command] of claims) await reject(other!.tenantId, command!.command_id);
    await reject(one!.tenantId, olderId);
  });

  it('leaves a command alone until its time has come, without holding up the others of its aggregate', async () => {
    const tenant = await createTenant(db.admin);
    const orderId = randomUUID();
    await submit(tenant, placeOrder(orderId), { executeAt: new Date(Date.now() + 3_600_000).toISOString() });
    const now = await submit(tenant, placeOrder(orderId));
    expect(ids(await claim())).toEqual([now.commandId]);
    await reject(tenant.tenantId, now.commandId);
    expect(await claim()).toEqual([]);
  });

  it('gives an expired claim to another pump, and refuses the late report of the first', async () => {
    const tenant = await createTenant(db.admin);
    const { commandId } = await submit(tenant);
    const [stale] = await claim(1, '1 millisecond');
    let fresh: Claimed | undefined;
    // A claim can come within the millisecond.
    await expectSoon(async () => ([fresh] = await claim(1))).toMatchObject([{ command_id: commandId, fencing_token: '2' }]);
    expect(await report('mark_dispatched', stale!)).toBe(false);
    expect(await report('mark_dispatched', fresh!)).toBe(true);
    await reject(tenant.tenantId, commandId);
  });

  it('finds a released command again at once', async () => {
    const tenant = await createTenant(db.admin);
    const { commandId } = await submit(tenant);
    const [claimed] = await claim();
    expect(await report('release_command', claimed!)).toBe(true);
    expect(ids(await claim())).toEqual([commandId]);
    await reject(tenant.tenantId, commandId);
  });

  it.each([[0, '30 s'], [1001, '30 s'], [10, '0 s']])('refuses %i commands for %s as IN422', async (max, lease) => {
    await expect(claim(max, lease)).rejects.toMatchObject({ code: 'IN422' });
  });
});

describe('settling', () => {
  it('works before the pump has marked the command, and a late mark does not reopen it', async () => {
    const tenant = await createTenant(db.admin);
    const { commandId } = await submit(tenant);
    const [claimed] = await claim();
    await reject(tenant.tenantId, commandId);
    expect(await report('mark_dispatched', claimed!)).toBe(false);
    const [row] = await queryAs<{ answer: unknown }>(db.admin, claimsOf(tenant, 'owner'), 'select api.get_command($1) as answer', [commandId]);
    expect(row!.answer).toEqual({ commandId, status: 'rejected', duplicate: false, outcome: { code: 'NOT_ALLOWED', message: 'no', details: {} } });
  });

  it('is silent for the same settlement again, and IN410 for another', async () => {
    const tenant = await createTenant(db.admin);
    const { commandId } = await submit(tenant);
    await reject(tenant.tenantId, commandId);
    await reject(tenant.tenantId, commandId);
    await expect(reject(tenant.tenantId, commandId, 'OTHER')).rejects.toMatchObject({ code: 'IN410' });
    await expect(fail(tenant.tenantId, commandId)).rejects.toMatchObject({ code: 'IN410' });
  });

  it('as failed makes a dead letter, which an operator can retry', async () => {
    const tenant = await createTenant(db.admin);
    const { commandId } = await submit(tenant);
    await claim();
    await fail(tenant.tenantId, commandId);
    const { rows } = await db.operator.query('select command_id, type, attempts, error from intent.dead_letters where tenant_id = $1', [tenant.tenantId]);
    expect(rows).toEqual([{ command_id: commandId, type: 'PlaceOrder', attempts: 1, error: { name: 'Bug' } }]);
    await db.operator.query('select intent.retry_command($1, $2)', [tenant.tenantId, commandId]);
    expect(ids(await claim())).toEqual([commandId]);
    await reject(tenant.tenantId, commandId);
    await expect(db.operator.query('select intent.retry_command($1, $2)', [tenant.tenantId, commandId])).rejects.toMatchObject({ code: 'IN410' });
  });

  it('is broadcast to the submitter, and to nobody else', async () => {
    const tenant = await createTenant(db.admin);
    const { commandId } = await submit(tenant);
    await reject(tenant.tenantId, commandId);
    const { rows } = await db.admin.query<{ topic: string }>(`select topic, event, payload - 'id' as payload from realtime.messages where payload ->> 'commandId' = $1`, [commandId]);
    expect(rows).toMatchObject([
      { topic: `tenant:${tenant.tenantId}:user:${tenant.members.owner}`, event: 'outcome', payload: { commandId, status: 'rejected', outcome: { code: 'NOT_ALLOWED' } } },
    ]);
  });
});

describe('an operator', () => {
  it('sees the backlog and what is blocked, and submits as the system', async () => {
    const tenant = await createTenant(db.admin);
    const orderId = randomUUID();
    await submit(tenant, placeOrder(orderId));
    await db.operator.query(`select intent.submit_system_command($1, gen_random_uuid(), 'RejectOrder', 'order', $2, '{"reason": "x"}', null, null)`, [tenant.tenantId, orderId]);
    const { rows } = await db.operator.query('select status, waiting::int, blocked::int from intent.backlog where tenant_id = $1', [tenant.tenantId]);
    expect(rows).toEqual([{ status: 'pending', waiting: 2, blocked: 1 }]);
    await settleAll();
    await settleAll();
  });

  it('traces what a request set off, and leaves a record of who asked', async () => {
    const tenant = await createTenant(db.admin);
    const budget = openBudget('groceries');
    const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), budget);
    await db.worker.query('select intent.append_events($1, $2, $3, 0, $4, $5)', [
      tenant.tenantId, 'budget', 'groceries', JSON.stringify([{ type: 'BudgetOpened', schemaVersion: 1, payload: budget.payload }]), commandId,
    ]);
    const trace = await db.operator.query('select what, type, status from intent.command_trace($1)', [commandId]);
    expect(trace.rows).toEqual([
      { what: 'command', type: 'OpenBudget', status: 'succeeded' },
      { what: 'event', type: 'BudgetOpened', status: 'version 1' },
    ]);
    const stream = await db.operator.query('select version, type from intent.stream($1, $2, $3)', [tenant.tenantId, 'budget', 'groceries']);
    expect(stream.rows).toEqual([{ version: '1', type: 'BudgetOpened' }]);
    const feed = await db.operator.query('select position, type from intent.tenant_feed($1)', [tenant.tenantId]);
    expect(feed.rows).toEqual([{ position: '1', type: 'BudgetOpened' }]);
    const log = await db.admin.query(`select action from intent.operator_log where asked_by = 'intent_operator' and tenant_id = $1`, [tenant.tenantId]);
    expect(log.rows.map((row: { action: string }) => row.action).toSorted()).toEqual(['stream', 'tenant_feed']);
  });
});
