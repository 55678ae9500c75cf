import { afterAll, beforeAll, expect, test } from 'vitest';
import { renameAway } from '../rename-away.ts';
import { openBudget, startEdgeStack, type EdgeStack } from './edge-stack.ts';

// A deploy, in which the migration comes before or after the function that needs it.
let stack: EdgeStack;
beforeAll(async () => {
  stack = await startEdgeStack();
}, 60_000);
afterAll(() => stack.stop());

async function undoing(statement: string, undo: string): Promise<() => Promise<void>> {
  await stack.database.query(statement);
  return async () => void (await stack.database.query(undo));
}

/** The code with which PostgREST refuses what the Edge Function asks of it. */
async function codeOfPostgrest(): Promise<unknown> {
  const { commandId: command_id, type, aggregateId: aggregate_id, payload } = openBudget();
  const token = await stack.issuer.sign(stack.claims());
  const response = await fetch(`${stack.postgrestUrl}/rpc/submit_command`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Content-Profile': 'api' },
    body: JSON.stringify({ command_id, type, aggregate_type: 'budget', aggregate_id, payload }),
  });
  return ((await response.json()) as { code?: unknown }).code;
}

const signature = 'api.submit_command(uuid, text, text, text, jsonb, bigint, uuid, uuid, timestamptz, integer, text)';
const reload = () => stack.database.query(`notify pgrst, 'reload schema'`);

test.for([
  ['the function that is called', '42883', () => renameAway(stack.database, ['submit_command'], 'api')],
  ['a function that it calls', '42883', () => renameAway(stack.database, ['submit_member_command'])],
  ['a table', '42P01', () => undoing('alter table intent.commands rename to of_another_release', 'alter table intent.of_another_release rename to commands')],
  ['a column', '42703', () => undoing('alter table intent.commands rename correlation_id to of_another_release', 'alter table intent.commands rename of_another_release to correlation_id')],
  ['the privilege', '42501', () => undoing(`revoke execute on function ${signature} from authenticated`, `grant execute on function ${signature} to authenticated`)],
  ['the function that is called, as PostgREST has noticed', 'PGRST202', async () => {
    const giveBack = await renameAway(stack.database, ['submit_command'], 'api');
    await reload();
    return async () => {
      await giveBack();
      await reload();
    };
  }],
] as const)('503 with Retry-After, and in words, while the schema does not fit: %s is missing', async ([, code, takeAway]) => {
  const command = openBudget();
  const giveBack = await takeAway();
  try {
    await expect.poll(codeOfPostgrest, { timeout: 10_000 }).toBe(code);
    const response = await stack.post(command);
    expect([response.status, response.headers.get('Retry-After'), await response.json()]).toEqual([
      503,
      '5',
      expect.objectContaining({ code: 'IN503', detail: expect.stringContaining('of different releases') }),
    ]);
  } finally {
    await giveBack();
  }
  await expect.poll(async () => (await stack.post(command)).status, { timeout: 10_000 }).toBe(202);
});
