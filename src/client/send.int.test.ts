import { randomUUID } from 'node:crypto';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEdgeStack, type EdgeStack } from '../testing/edge/edge-stack.ts';
import type { CommandToSend } from './commands.ts';
import { createSend, type Send } from './send.ts';

let stack: EdgeStack;
let send: Send;

beforeAll(async () => {
  stack = await startEdgeStack();
  const token = await stack.issuer.sign(stack.claims());
  const supabase: SupabaseClient = createClient(new URL(stack.url).origin, 'sb_publishable_test', {
    accessToken: () => Promise.resolve(token),
  });
  send = createSend(supabase);
}, 60_000);

afterAll(() => stack.stop());

function openBudget(limit: number): CommandToSend<'OpenBudget'> {
  return { aggregateId: `budget-${randomUUID()}`, payload: { name: 'Groceries', limit } };
}

test('a command gets a UUID of version 7, and is open where nobody waits for it', async () => {
  expect(await send('OpenBudget', openBudget(1), { wait: 0 })).toEqual({
    commandId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    status: 'pending',
    duplicate: false,
  });
});

test('a rejection is a result', async () => {
  const commandId = randomUUID();
  const command = { ...openBudget(1), commandId };
  await send('OpenBudget', command, { wait: 0 });
  await stack.database.query(`select intent.reject_command($1, $2, 'NOT_ALLOWED', 'no', '{}')`, [stack.tenantId, commandId]);
  expect(await send('OpenBudget', command)).toEqual({
    commandId,
    status: 'rejected',
    duplicate: true,
    outcome: { code: 'NOT_ALLOWED', message: 'no', details: {} },
  });
});

test('a malformed command is an error with the path of each problem, and is not sent again', async () => {
  const before = stack.upstream.restRequests();
  await expect(send('OpenBudget', openBudget(-1))).rejects.toMatchObject({
    name: 'CommandError',
    code: 'IN422',
    errors: [{ path: '/payload/limit' }],
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(stack.upstream.restRequests()).toBe(before);
});

test('where the database is away for a moment, the command is sent again with the same id and takes effect once', async () => {
  const commandId = randomUUID();
  stack.upstream.serveRest(null);
  stack.upstream.onNextRest(() => stack.upstream.serveRest(stack.postgrestUrl));
  expect(await send('OpenBudget', { ...openBudget(1), commandId }, { wait: 0 })).toMatchObject({ commandId, status: 'pending' });
  const { rowCount } = await stack.database.query('select from intent.commands where command_id = $1', [commandId]);
  expect(rowCount).toBe(1);
});

test('a command with a date waits for it', async () => {
  const commandId = randomUUID();
  const executeAt = new Date(Date.now() + 3_600_000);
  expect(await send('OpenBudget', { ...openBudget(1), commandId, executeAt }, { wait: 0 })).toMatchObject({ status: 'pending' });
  const { rows } = await stack.database.query('select execute_at from intent.commands where command_id = $1', [commandId]);
  expect(rows).toEqual([{ execute_at: executeAt }]);
});
