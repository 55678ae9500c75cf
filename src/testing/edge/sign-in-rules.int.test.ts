import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBudget, startEdgeStack, type EdgeStack } from './edge-stack.ts';

let stack: EdgeStack;

beforeAll(async () => {
  stack = await startEdgeStack();
  await stack.database.query('select intent.set_sign_in_rules($1, true, false)', [stack.tenantId]);
}, 60_000);

afterAll(() => stack.stop());

const secondFactor = {
  reason: 'second_factor_required',
  detail: 'This tenant asks for a second factor: verify one, then refresh the session.',
};
const client = {
  reason: 'client_not_allowed',
  detail: 'This tenant does not let third-party applications in: sign in by its own, or ask an owner to allow OAuth clients.',
};

test.for<[string, object, typeof client]>([
  ['a token of one factor', { aal: 'aal1' }, secondFactor],
  ['a token of one factor to which the hook gave no tenant', { tenant_id: undefined, tenant_refused: 'second_factor_required' }, secondFactor],
  ["a third-party application's token", { aal: 'aal2', client_id: crypto.randomUUID() }, client],
  ["a third-party application's token to which the hook gave no tenant", { tenant_id: undefined, tenant_refused: 'client_not_allowed' }, client],
])('403 with the reason and what to do, and no row, for %s', async ([, claims, { reason, detail }]) => {
  const command = openBudget();
  const response = await stack.post(command, { Authorization: `Bearer ${await stack.issuer.sign({ ...stack.claims(), ...claims })}` });
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ code: 'IN403', status: 403, reason, detail });
  const { rows } = await stack.database.query('select from intent.commands where command_id = $1', [command.commandId]);
  expect(rows).toEqual([]);
});

test('a token of two factors is taken', async () => {
  const token = await stack.issuer.sign({ ...stack.claims(), aal: 'aal2' });
  expect((await stack.post(openBudget(), { Authorization: `Bearer ${token}` })).status).toBe(202);
});
