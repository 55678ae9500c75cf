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
  'a number': () => ({ tenant_id: 1 }),
  'an object': () => ({ tenant_id: { toString: stack.tenantId } }),
  'no uuid': () => ({ tenant_id: 'rose' }),
  'upper case': () => ({ tenant_id: stack.tenantId.toUpperCase() }),
  'braces around it': () => ({ tenant_id: `{${stack.tenantId}}` }),
  'no hyphens in it': () => ({ tenant_id: stack.tenantId.replaceAll('-', '') }),
  'a full-width digit': () => ({ tenant_id: stack.tenantId.replace(/^./, '１') }),
  'a Cyrillic letter': () => ({ tenant_id: stack.tenantId.replace(/^./, 'а') }),
  'an Arabic digit': () => ({ tenant_id: stack.tenantId.replace(/^./, '١') }),
  'a zero-width space in it': () => ({ tenant_id: stack.tenantId.replace('-', '-\u200b') }),
  'a soft hyphen in place of a hyphen': () => ({ tenant_id: stack.tenantId.replace('-', '\u00ad') }),
  'a blank before it': () => ({ tenant_id: ` ${stack.tenantId}` }),
  'a line break behind it': () => ({ tenant_id: `${stack.tenantId}\n` }),
  'two in one text': () => ({ tenant_id: `${stack.tenantId},${stack.otherTenantId}` }),
  'a wildcard': () => ({ tenant_id: '%' }),
  'SQL': () => ({ tenant_id: `${stack.tenantId}' or true --` }),
  'under another spelling': () => ({ tenant_id: undefined, tenantId: stack.tenantId, Tenant_id: stack.tenantId }),
  'only in user_metadata': () => ({ tenant_id: undefined, user_metadata: { tenant_id: stack.tenantId } }),
  'only in app_metadata': () => ({ tenant_id: undefined, app_metadata: { tenant_id: stack.tenantId } }),
  'a tenant of which the user is no member': () => ({ tenant_id: stack.otherTenantId }),
  'a tenant that is not there': () => ({ tenant_id: '00000000-0000-4000-8000-000000000000' }),
};

describe('403 for a tenant claim, and no row', () => {
  test.for(Object.entries(tenantClaims))('%s', async ([, claims]) => {
    const token = await stack.issuer.sign({ ...stack.claims(), ...claims() });
    await expectRefused(() => stack.post(openBudget(), { Authorization: `Bearer ${token}` }));
  });
});

describe('403 for a body that names another tenant, and no row', () => {
  test.for<[string, () => string]>([
    ["another's", () => stack.otherTenantId],
    ['one that is not there', () => crypto.randomUUID()],
    ['its own in upper case', () => stack.tenantId.toUpperCase()],
    ['none', () => ''],
  ])('%s', ([, tenantId]) => expectRefused(() => stack.post({ ...openBudget(), tenantId: tenantId() })));
});

test('a tenant_role in the claim that is higher than the membership gives nothing', async () => {
  const token = await stack.issuer.sign({ ...stack.claims(), sub: stack.memberId, tenant_role: 'owner' });
  const command = openBudget();
  await stack.post(command, { Authorization: `Bearer ${token}` });
  const findRole = 'select actor_role from intent.commands where command_id = $1';
  const { rows } = await stack.database.query(findRole, [command.commandId]);
  expect(rows).toEqual([{ actor_role: 'member' }]);
});

test('403 for a command that only the system sends', async () => {
  await expectRefused(() =>
    stack.post({ ...openBudget(), type: 'ReserveBudget', payload: { orderId: crypto.randomUUID(), amount: 1 } }),
  );
});

test('403 for a member who has been removed, with a token from before', async () => {
  const token = await stack.issuer.sign({ ...stack.claims(), sub: stack.memberId });
  await stack.database.query(`update intent.memberships set status = 'removed' where user_id = $1`, [stack.memberId]);
  await expectRefused(() => stack.post(openBudget(), { Authorization: `Bearer ${token}` }));
});

test('403 for a user who never was a member', async () => {
  const token = await stack.issuer.sign({ ...stack.claims(), sub: crypto.randomUUID() });
  await expectRefused(() => stack.post(openBudget(), { Authorization: `Bearer ${token}` }));
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
