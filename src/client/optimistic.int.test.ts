import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { TestGateway } from '../local/gateway/testing/test-gateway.ts';
import { startClientGateway } from '../testing/client-gateway.ts';
import { type ClientTenant, createClientTenant } from '../testing/client-tenant.ts';
import { expectSoon } from '../testing/expect-soon.ts';
import type { Following } from './follow.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startClientGateway();
}, 60_000);

afterAll(() => gateway.stop());

const budgetId = 'groceries';
const changedTo = (limit: number) => ({ type: 'BudgetLimitChanged', payload: { limit } }) as const;

let tenant: ClientTenant;
let following: Following<'budget'>;
let commandId: string;

beforeEach(async () => {
  commandId = randomUUID();
  tenant = await createClientTenant(gateway);
  await tenant.append(budgetId, { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 100 } });
  following = tenant.follow('budget', budgetId);
  await vi.waitUntil(() => following.getSnapshot().connection.status === 'live', { timeout: 10_000 });
});

afterEach(() => following.close());

/** The limit as shown, the confirmed one, and how many commands are pending. */
function shown(): unknown[] {
  const { state, confirmedState, pending } = following.getSnapshot();
  return [state, confirmedState].map((each) => ('limit' in each ? each.limit : undefined)).concat(pending.length);
}

async function sendLimit(limit: number): Promise<string> {
  const sent = following.send('ChangeBudgetLimit', { commandId, payload: { limit } });
  expect(shown()).toEqual([limit, 100, 1]);
  return (await sent).status;
}

test('a command shows at once, stays pending until its event comes, and is then confirmed', async () => {
  expect(await sendLimit(200)).toBe('pending');
  expect(following.getSnapshot().pending).toMatchObject([{ command: { type: 'ChangeBudgetLimit' }, context: { commandId } }]);
  await tenant.append(budgetId, changedTo(200), commandId);
  await expectSoon(shown).toEqual([200, 200, 0]);
});

test('what others do meanwhile is below what is pending', async () => {
  await sendLimit(200);
  await tenant.append(budgetId, changedTo(150));
  await expectSoon(shown).toEqual([200, 150, 1]);
  await tenant.append(budgetId, changedTo(200), commandId);
  await expectSoon(shown).toEqual([200, 200, 0]);
});

test('a rejection takes it back', async () => {
  await sendLimit(200);
  await gateway.admin.query(`select intent.reject_command($1, $2, 'NOT_ALLOWED', 'no', '{}')`, [tenant.tenantId, commandId]);
  await expectSoon(shown).toEqual([100, 100, 0]);
});

test('a command that was not taken is taken back, and the error thrown', async () => {
  await tenant.client.schema('api').rpc('submit_command', {
    command_id: commandId,
    type: 'ChangeBudgetLimit',
    aggregate_type: 'budget',
    aggregate_id: budgetId,
    payload: { limit: 300 },
  });
  await expect(sendLimit(200)).rejects.toMatchObject({ code: 'IN409' });
  expect(shown()).toEqual([100, 100, 0]);
});

test('a lost message does not leave a command pending', async () => {
  await sendLimit(200);
  await tenant.appendUnheard(budgetId, changedTo(200), commandId);
  await expectSoon(shown).toEqual([200, 200, 0]);
});
