import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createScratchDirectory } from '../scratch-directory.ts';
import { openBudget, startEdgeStack, type EdgeStack } from './edge-stack.ts';

let stack: EdgeStack;

beforeAll(async () => {
  stack = await startEdgeStack();
}, 60_000);

afterEach(() => setLimits(null, null));
afterAll(() => stack.stop());

describe('429 with Retry-After, and no row of what was refused', () => {
  test.for<[string, number | null, number | null, string]>([
    ["over the tenant's rate", 1, null, 'this tenant may submit 1 commands a second'],
    ["over the user's rate", null, 1, 'this user may submit 1 commands a second'],
    ["over the user's rate, where the tenant's has room", 1_000, 1, 'this user may submit 1 commands a second'],
  ])('%s', async ([, perTenant, perUser, detail]) => {
    await setLimits(perTenant, perUser);
    const before = await countCommands();
    const responses = await Promise.all(Array.from({ length: 5 }, () => stack.post(openBudget())));
    const refused = responses.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(responses.filter(({ status }) => status === 202)).toHaveLength((await countCommands()) - before);
    expect(refused[0]!.headers.get('Retry-After')).toBe('1');
    expect(await refused[0]!.json()).toMatchObject({ status: 429, code: 'IN429', detail });
  });
});

test('a user over the rate holds up no other user of the tenant', async () => {
  await setLimits(null, 1);
  const member = `Bearer ${await stack.issuer.sign({ ...stack.claims(), sub: stack.memberId })}`;
  const responses = await Promise.all([
    ...Array.from({ length: 4 }, () => stack.post(openBudget())),
    stack.post(openBudget(), { Authorization: member }),
  ]);
  expect(responses.slice(0, 4).map(({ status }) => status)).toContain(429);
  expect(responses[4]!.status).toBe(202);
});

test('the rate holds however many instances of the function there are', async () => {
  const home = await createScratchDirectory();
  const another = await stack.startInstance(home.path);
  try {
    await setLimits(2, null);
    const before = await countCommands();
    const beganAt = thisSecond();
    const urls = Array.from({ length: 6 }, () => [stack.url, another.url]).flat();
    await Promise.all(urls.map((url) => stack.postTo(url, openBudget())));
    const seconds = thisSecond() - beganAt + 1;
    expect((await countCommands()) - before).toBeLessThanOrEqual(2 * seconds);
  } finally {
    await another.stop();
    home.remove();
  }
});

function thisSecond(): number {
  return Math.floor(Date.now() / 1000);
}

async function setLimits(perTenant: number | null, perUser: number | null): Promise<void> {
  await stack.database.query('select intent.set_limits($1, $2, $3)', [stack.tenantId, perTenant, perUser]);
}

async function countCommands(): Promise<number> {
  const { rows } = await stack.database.query<{ count: number }>('select count(*)::int from intent.commands');
  return rows[0]!.count;
}
