import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../database.ts';
import { type Claims, claimsOf, connect, createTenant, openBudget, placeOrder, queryAs, submitAs, type TestTenant } from '../tenant.ts';

let db: ReturnType<typeof connect>;
let rose: TestTenant;
let thorn: TestTenant;
let orderId: string;
let commandId: string;

beforeAll(async () => {
  db = connect(await createTestDatabase());
  rose = await createTenant(db.admin);
  thorn = await createTenant(db.admin);
  const order = placeOrder();
  orderId = order.aggregateId;
  commandId = (await submitAs(db.admin, claimsOf(rose, 'member'), order)).commandId;
  const placed = { type: 'OrderPlaced', schemaVersion: 1, payload: { ...order.payload, total: 700, placedBy: rose.members.member, needsApproval: false } };
  await db.worker.query('select intent.append_events($1, $2, $3, 0, $4, $5)', [rose.tenantId, 'order', orderId, JSON.stringify([placed]), commandId]);
  await submitAs(db.admin, claimsOf(rose, 'owner'), openBudget('waiting'));
});
afterAll(() => db.end());

async function seenBy(claims: Claims) {
  const count = async (table: string) =>
    (await queryAs<{ rows: number }>(db.admin, claims, `select count(*)::int as rows from ${table}`))[0]!.rows;
  return {
    events: await count('intent.events'),
    orders: await count('api.orders'),
    commands: await count('intent.commands'),
    tenants: await count('intent.tenants'),
    feed: (await queryAs<{ feed: { events: unknown[] } }>(db.admin, claims, 'select api.read_feed(0) as feed'))[0]!.feed.events.length,
  };
}
const nothing = { events: 0, orders: 0, commands: 0, tenants: 0, feed: 0 };

describe('what a person sees', () => {
  it("is its own tenant's history, and of the commands its own", async () => {
    expect(await seenBy(claimsOf(rose, 'member'))).toEqual({ events: 1, orders: 1, commands: 1, tenants: 1, feed: 1 });
    expect(await seenBy(claimsOf(rose, 'guest'))).toEqual({ events: 1, orders: 1, commands: 0, tenants: 1, feed: 1 });
  });
  it("is, for an owner, all of the tenant's commands", async () => {
    expect(await seenBy(claimsOf(rose, 'owner'))).toMatchObject({ commands: 2 });
  });
  it("is nothing of another tenant's", async () => {
    expect(await seenBy(claimsOf(thorn, 'owner'))).toEqual({ ...nothing, tenants: 1 });
  });
  it('is nothing from the statement after its removal on', async () => {
    const tenant = await createTenant(db.admin);
    expect(await seenBy(claimsOf(tenant, 'guest'))).toMatchObject({ tenants: 1 });
    await db.admin.query(`update intent.memberships set status = 'removed' where user_id = $1`, [tenant.members.guest]);
    expect(await seenBy(claimsOf(tenant, 'guest'))).toEqual(nothing);
  });
});

describe('get_command', () => {
  const ask = async (claims: Claims, id: string) =>
    (await queryAs<{ answer: unknown }>(db.admin, claims, 'select api.get_command($1) as answer', [id]))[0]!.answer;
  it('answers the submitter and an owner, and null to others as for a command that is not there', async () => {
    expect(await ask(claimsOf(rose, 'member'), commandId)).toMatchObject({ commandId, status: 'succeeded' });
    expect(await ask(claimsOf(rose, 'owner'), commandId)).toMatchObject({ commandId });
    expect(await ask(claimsOf(rose, 'guest'), commandId)).toBeNull();
    expect(await ask(claimsOf(thorn, 'owner'), commandId)).toBeNull();
    expect(await ask(claimsOf(rose, 'owner'), randomUUID())).toBeNull();
  });
});

describe('hydrate', () => {
  it('gives a stream and the position of one moment', async () => {
    const [row] = await queryAs<{ answer: unknown }>(db.admin, claimsOf(rose, 'guest'), `select api.hydrate('order', $1) as answer`, [orderId]);
    expect(row!.answer).toMatchObject({ version: 1, position: 1, snapshot: null, events: [{ type: 'OrderPlaced', position: 1 }] });
  });
  it("gives another tenant's stream as one that is not there", async () => {
    const [row] = await queryAs<{ answer: unknown }>(db.admin, claimsOf(thorn, 'owner'), `select api.hydrate('order', $1) as answer`, [orderId]);
    expect(row!.answer).toEqual({ version: 0, position: 0, snapshot: null, events: [] });
  });
});

describe('switch_tenant', () => {
  const hook = async (userId: string, sessionId: string) => {
    const { rows } = await db.admin.query<{ claims: Record<string, unknown> }>(
      `select intent.custom_access_token_hook(jsonb_build_object('user_id', $1::text, 'claims', jsonb_build_object('session_id', $2::text, 'aud', 'authenticated'))) -> 'claims' as claims`,
      [userId, sessionId],
    );
    return rows[0]!.claims;
  };
  it("changes the next token of this session, and leaves the user's other sessions alone", async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    const alice = rose.members.owner;
    await db.admin.query('select intent.add_member($1, $2, $3)', [thorn.tenantId, alice, 'guest']);
    expect(await hook(alice, first)).toEqual({ session_id: first, aud: 'authenticated', tenant_id: rose.tenantId, tenant_role: 'owner' });
    await queryAs(db.admin, { ...claimsOf(rose, 'owner'), session_id: first }, 'select api.switch_tenant($1)', [thorn.tenantId]);
    expect(await hook(alice, first)).toMatchObject({ tenant_id: thorn.tenantId, tenant_role: 'guest' });
    expect(await hook(alice, second)).toMatchObject({ tenant_id: rose.tenantId });
    const [row] = await queryAs<{ tenants: unknown }>(db.admin, claimsOf(rose, 'owner'), 'select api.my_tenants() as tenants');
    expect(row!.tenants).toMatchObject([{ tenantId: rose.tenantId, role: 'owner' }, { tenantId: thorn.tenantId, role: 'guest' }]);
  });
  it('refuses a tenant of others and one that is not there alike, as IN403', async () => {
    for (const tenantId of [thorn.tenantId, randomUUID()]) {
      const switching = queryAs(db.admin, { ...claimsOf(rose, 'member'), session_id: randomUUID() }, 'select api.switch_tenant($1)', [tenantId]);
      await expect(switching).rejects.toMatchObject({ code: 'IN403', message: 'you are not a member of this tenant' });
    }
  });
  it('gives a user without a membership no tenant', async () => {
    expect(await hook(randomUUID(), randomUUID())).not.toHaveProperty('tenant_id');
  });
});

it('the pump does not append, and the worker does not claim', async () => {
  await expect(db.pump.query(`select intent.append_events($1, 'note', 'a', 0, '[]')`, [rose.tenantId])).rejects.toMatchObject({ code: '42501' });
  await expect(db.worker.query(`select intent.claim_commands('x', 1, '1 s')`)).rejects.toMatchObject({ code: '42501' });
});
