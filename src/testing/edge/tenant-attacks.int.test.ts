import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBudget, startEdgeStack, type EdgeStack } from './edge-stack.ts';

let stack: EdgeStack;

beforeAll(async () => {
  stack = await startEdgeStack();
}, 60_000);

afterAll(() => stack.stop());

const tenantClaims: Record<string, () => object> = {
  'no tenant claim': () => ({ tenant_id: undefined }),
  'an array': () => ({ tenant_id: [stack.tenantId] }),
  'an empty text': () => ({ tenant_id: '' }),
  'null': () => ({ tenant_id: null }),
  'no uuid': () => ({ tenant_id: 'rose' }),
  'upper case': () => ({ tenant_id: stack.tenantId.toUpperCase().replace(/^./, 'A') }),
  'a full-width digit': () => ({ tenant_id: stack.tenantId.replace(/^./, '１') }),
  'a line break behind it': () => ({ tenant_id: `${stack.tenantId}\n` }),
  'only in user_metadata': () => ({ tenant_id: undefined, user_metadata: { tenant_id: stack.tenantId } }),
  'a tenant of which the user is no member': () => ({ tenant_id: stack.otherTenantId }),
  'a tenant that is not there': () => ({ tenant_id: '00000000-0000-4000-8000-000000000000' }),
};

describe('403 for a tenant claim, and no row', () => {
  test.for(Object.entries(tenantClaims))('%s', async ([, claims]) => {
    const token = await stack.issuer.sign({ ...stack.claims(), ...claims() });
    await expectRefused(() => stack.post(openBudget(), { Authorization: `Bearer ${token}` }));
  });
});

test('403 for a body that names another tenant', async () => {
  await expectRefused(() => stack.post({ ...openBudget(), tenantId: stack.otherTenantId }));
});

test('403 for a command that only the system sends', async () => {
  await expectRefused(() =>
    stack.post({ ...openBudget(), type: 'ReserveBudget', payload: { orderId: crypto.randomUUID(), amount: 1 } }),
  );
});

test('403 for a member who has been removed, with a token from before', async () => {
  await stack.database.query(`update intent.memberships set status = 'removed' where user_id = $1`, [stack.userId]);
  await expectRefused(() => stack.post(openBudget()));
  await stack.database.query(`update intent.memberships set status = 'active' where user_id = $1`, [stack.userId]);
});

test("a tenant that is another's and one that is not there get the same answer", async () => {
  const answers = await Promise.all(
    [stack.otherTenantId, crypto.randomUUID()].map(async (tenant_id) => {
      const token = await stack.issuer.sign({ ...stack.claims(), tenant_id });
      const response = await stack.post(openBudget(), { Authorization: `Bearer ${token}` });
      return { ...((await response.json()) as object), traceId: '' };
    }),
  );
  expect(answers[0]).toEqual(answers[1]);
});

async function expectRefused(attack: () => Promise<Response>): Promise<void> {
  const response = await stack.withoutRow(attack);
  expect([response.status, await response.json()]).toEqual([403, expect.objectContaining({ status: 403, code: 'IN403' })]);
}
