import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BudgetEvent } from '../domain/budget/messages.ts';
import type { TestGateway } from '../local/gateway/testing/test-gateway.ts';
import { startClientGateway } from '../testing/client-gateway.ts';
import { type ClientTenant, createClientTenant } from '../testing/client-tenant.ts';
import { collect } from '../testing/collect.ts';
import { expectSoon } from '../testing/expect-soon.ts';
import type { Following } from './follow.ts';
import { createIntentClient } from './intent-client.ts';

// What cannot go on ends with a code, keeps the last true state, and is not tried again.

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startClientGateway();
}, 60_000);

afterAll(() => gateway.stop());

const budgetId = 'groceries';
const opened: BudgetEvent = { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 100 } };

let tenant: ClientTenant;
let following: Following<'budget'>;

beforeEach(async () => {
  tenant = await createClientTenant(gateway);
  await tenant.append(budgetId, opened);
});

afterEach(() => following.close());

async function followLive(): Promise<void> {
  following = tenant.follow('budget', budgetId);
  await expectSoon(() => following.getSnapshot().connection.status).toBe('live');
}

/** Leaves the tenant, whose last owner it is not. */
async function removeMember(): Promise<void> {
  await gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [tenant.tenantId, randomUUID()]);
  const { error } = await tenant.client.schema('api').rpc('remove_member', { user_id: tenant.userId });
  expect(error).toBeNull();
}

async function expectClosed(code: string): Promise<void> {
  await expectSoon(() => following.getSnapshot().connection).toMatchObject({ status: 'closed', error: { code } });
  await expectSoon(() => tenant.client.getChannels()).toEqual([]);
}

const loaded = { version: 1, position: 1, state: { limit: 100 } };

test('a join that is refused names the tenant, and an iteration throws it', async () => {
  await removeMember();
  following = tenant.follow('budget', budgetId);
  const iterating = collect(following);
  await expect(iterating).rejects.toMatchObject({
    code: 'NOT_A_MEMBER',
    message: `The session's user is not, or no longer, an active member of tenant ${tenant.tenantId}.`,
  });
  await expectClosed('NOT_A_MEMBER');
  expect(following.getSnapshot().position).toBeNull();
});

test('a member who is removed keeps the last state and hears no more', async () => {
  await followLive();
  await removeMember();
  await expectClosed('NOT_A_MEMBER');
  expect(following.getSnapshot()).toMatchObject(loaded);
});

test('a message that says so of a member who is still one changes nothing', async () => {
  await followLive();
  await gateway.admin.query(`select intent.send_realtime(jsonb_build_object('userId', $1::text), 'removed', $2)`, [
    tenant.userId,
    `tenant:${tenant.tenantId}:events`,
  ]);
  await tenant.append('holidays', opened);
  await following.waitFor(2);
  await expectSoon(() => following.getSnapshot().connection.status).toBe('live');
});

test('a stranger to the tenant reads nothing, and is told so instead of an empty state', async () => {
  await followLive();
  following.close();
  await removeMember();
  const { stateAt } = createIntentClient(tenant.client);
  await expect(stateAt('budget', budgetId, { version: 1 })).rejects.toMatchObject({ code: 'NOT_A_MEMBER' });
});

test("a session that is switched to another tenant ends the following, and shows nothing of the other's", async () => {
  const other = await createClientTenant(gateway);
  await gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [other.tenantId, tenant.userId]);
  await followLive();
  await tenant.client.schema('api').rpc('switch_tenant', { tenant_id: other.tenantId });
  await tenant.client.auth.refreshSession();
  await tenant.client.realtime.setAuth();
  await expectClosed('TENANT_SWITCHED');
  expect(following.getSnapshot()).toMatchObject(loaded);
});

test('nobody signed in cannot follow', async () => {
  following = createIntentClient(gateway.client()).follow('budget', budgetId);
  await expectClosed('SIGNED_OUT');
});

test('a session without a tenant cannot follow, and hears which claim is missing', async () => {
  const stranger = await gateway.signUp(`stranger-${tenant.tenantId}`);
  following = createIntentClient(stranger.client).follow('budget', budgetId);
  await expectClosed('NO_TENANT');
  expect(following.getSnapshot().connection.error?.message).toContain('no claim tenant_id');
});

test('a session of one factor reads nothing of a tenant that asks for two, and hears what to do, with its token of before and the next', async () => {
  await gateway.admin.query('select intent.set_sign_in_rules($1, true, null)', [tenant.tenantId]);
  const intent = createIntentClient(tenant.client);
  const refusal = { code: 'SECOND_FACTOR_REQUIRED', message: 'The tenant asks for a second factor: verify one, then refresh the session.' };
  await expect(intent.stateAt('budget', budgetId, { version: 1 })).rejects.toMatchObject(refusal);
  await tenant.client.auth.refreshSession();
  await expect(intent.stateAt('budget', budgetId, { version: 1 })).rejects.toMatchObject(refusal);
  following = tenant.follow('budget', budgetId);
  await expectClosed('SECOND_FACTOR_REQUIRED');
});

const fromNewerServers = [
  { name: 'of an unknown type', event: { type: 'BudgetPainted', schemaVersion: 1, payload: {} } },
  { name: 'of a newer schema', event: { type: 'BudgetLimitChanged', schemaVersion: 2, payload: { limit: 7 } } },
] as const;

for (const { name, event } of fromNewerServers) {
  test(`an event ${name} ends the following at the state before it`, async () => {
    await followLive();
    await tenant.append(budgetId, event);
    await expectClosed('UNKNOWN_EVENT');
    expect(following.getSnapshot()).toMatchObject(loaded);
    following = tenant.follow('budget', budgetId);
    await expectClosed('UNKNOWN_EVENT');
    expect(following.getSnapshot().position).toBeNull();
  });
}

test('an unknown event of another aggregate does not matter, and the feed of the tenant has it', async () => {
  await followLive();
  const feed = tenant.followTenant({ after: 1 });
  await tenant.append('holidays', { type: 'BudgetPainted', schemaVersion: 3, payload: {} });
  await feed.waitFor(2);
  expect(feed.getSnapshot().events).toMatchObject([{ type: 'BudgetPainted', schemaVersion: 3 }]);
  feed.close();
  await tenant.append(budgetId, { type: 'BudgetLimitChanged', payload: { limit: 300 } });
  await expectSoon(() => following.getSnapshot()).toMatchObject({ version: 2, position: 3, state: { limit: 300 } });
});
