import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startTcpProxy } from '../tcp-proxy.ts';
import { allowedOrigin, openBudget, startEdgeStack, type EdgeStack } from './edge-stack.ts';

let stack: EdgeStack;
let restUrl: string;

beforeAll(async () => {
  stack = await startEdgeStack();
  restUrl = stack.postgrestUrl;
}, 60_000);

afterAll(() => stack.stop());

afterEach(() => stack.upstream.serveRest(restUrl));

const pollMs = 10;

describe('a command that is taken', () => {
  test('202 while it is open, with a row of the tenant and the user', async () => {
    const command = openBudget();
    const correlationId = randomUUID();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const response = await stack.post({ ...command, expectedVersion: 0, correlationId }, { traceparent });
    expect([response.status, await response.json()]).toEqual([
      202,
      { commandId: command.commandId, status: 'pending', duplicate: false },
    ]);
    const { rows } = await stack.database.query('select * from intent.commands where command_id = $1', [command.commandId]);
    expect(rows).toEqual([
      expect.objectContaining({
        tenant_id: stack.tenantId,
        actor_user_id: stack.userId,
        actor_role: 'owner',
        type: 'OpenBudget',
        aggregate_type: 'budget',
        aggregate_id: command.aggregateId,
        payload: command.payload,
        expected_version: '0',
        correlation_id: correlationId,
        traceparent,
      }),
    ]);
  });

  test('a traceparent that is malformed is replaced by a new one', async () => {
    const command = openBudget();
    await stack.post(command, { traceparent: `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01` });
    const { rows } = await stack.database.query('select traceparent from intent.commands where command_id = $1', [command.commandId]);
    expect(rows[0].traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/);
  });

  test('the same command again is a duplicate, with its outcome where there is one', async () => {
    const command = openBudget();
    await stack.post(command);
    expect(await (await stack.post(command)).json()).toEqual({ commandId: command.commandId, status: 'pending', duplicate: true });
    await reject(command.commandId);
    const response = await stack.post(command);
    expect([response.status, await response.json()]).toEqual([
      200,
      { commandId: command.commandId, status: 'rejected', duplicate: true, outcome: { code: 'TOO_LATE', message: 'no', details: {} } },
    ]);
  });

  test('409 for the same id with other content, which says nothing about the first, and no row', async () => {
    const command = openBudget();
    await stack.post(command);
    const response = await stack.withoutRow(() => stack.post({ ...command, payload: { name: 'Other', limit: 1 } }));
    const problem = await response.text();
    expect([response.status, JSON.parse(problem)]).toEqual([409, expect.objectContaining({ code: 'IN409' })]);
    expect(problem).not.toContain('Groceries');
  });
});

describe('Prefer: wait', () => {
  test('200 with the outcome where it comes in time', async () => {
    const command = openBudget();
    const answer = stack.post(command, { Prefer: 'respond-async, wait=10' });
    await rejectWhenThere(command.commandId);
    const response = await answer;
    expect(response.headers.get('Preference-Applied')).toBe('wait=10');
    expect([response.status, await response.json()]).toEqual([
      200,
      { commandId: command.commandId, status: 'rejected', duplicate: false, outcome: { code: 'TOO_LATE', message: 'no', details: {} } },
    ]);
  });

  test('202 after the wait where it does not', async () => {
    const beganAt = performance.now();
    const response = await stack.post(openBudget(), { Prefer: 'wait=1' });
    expect([response.status, await response.json()]).toEqual([202, expect.objectContaining({ status: 'pending' })]);
    expect(performance.now() - beganAt).toBeGreaterThan(700);
  });

  test('a wait over 20 s is cut to 20 s, a malformed one is ignored', async () => {
    const command = openBudget();
    await stack.post(command);
    await reject(command.commandId);
    expect((await stack.post(command, { Prefer: 'wait=3600' })).headers.get('Preference-Applied')).toBe('wait=20');
    expect((await stack.post(command, { Prefer: 'wait=soon' })).headers.get('Preference-Applied')).toBeNull();
  });

  test('a database that goes away during the wait does not turn an accepted command into an error', async () => {
    const command = openBudget();
    const answer = stack.post(command, { Prefer: 'wait=1' });
    await untilThere(command.commandId);
    stack.upstream.serveRest(null);
    expect((await answer).status).toBe(202);
  });
});

describe('503 with Retry-After: unknown, ask again with the same id', () => {
  test('where the Data API cannot be reached', async () => {
    stack.upstream.serveRest(null);
    const command = openBudget();
    const response = await stack.post(command);
    expect([response.status, response.headers.get('Retry-After'), await response.json()]).toEqual([
      503,
      '1',
      expect.objectContaining({ code: 'IN503' }),
    ]);
    stack.upstream.serveRest(restUrl);
    expect((await stack.post(command)).status).toBe(202);
  });

  test('at once where more submissions are in hand than can be served, and those are done in the end', async () => {
    const { hostname: host, port } = new URL(restUrl);
    const proxy = await startTcpProxy({ host, port: Number(port) });
    proxy.become('frozen');
    stack.upstream.serveRest(`http://127.0.0.1:${proxy.port}`);
    const answers = Array.from({ length: 65 }, () => stack.post(openBudget()));
    const first = await Promise.race(answers);
    expect([first.status, first.headers.get('Retry-After'), await first.json()]).toEqual([503, '1', expect.objectContaining({ code: 'IN503' })]);
    proxy.become('open');
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(Object.groupBy(statuses, String)).toEqual({ 202: Array.from({ length: 64 }, () => 202), 503: [503] });
    await proxy.stop();
  });

  test('where others use up the connections of PostgreSQL, until there are some again', async () => {
    const { name } = stack.testDatabase;
    await stack.database.query(`alter database ${name} connection limit 0`);
    await stack.database.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator' and datname = $1`, [name]);
    const command = openBudget();
    const refused = await stack.post(command);
    expect([refused.status, await refused.json()]).toEqual([503, expect.objectContaining({ code: 'IN503' })]);
    await stack.database.query(`alter database ${name} connection limit -1`);
    await expect.poll(async () => (await stack.post(command)).status, { timeout: 15_000, interval: 250 }).toBe(202);
  }, 30_000);
});

describe('CORS', () => {
  const preflight = (origin: string) =>
    fetch(stack.url, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' },
    });

  test('a configured origin may call, and read what an error says', async () => {
    const { headers } = await preflight(allowedOrigin);
    expect(headers.get('Access-Control-Allow-Origin')).toBe(allowedOrigin);
    expect(headers.get('Access-Control-Allow-Headers')).toContain('authorization');
    const refused = await stack.post('', { Origin: allowedOrigin });
    expect([refused.status, refused.headers.get('Access-Control-Allow-Origin')]).toEqual([400, allowedOrigin]);
  });

  test.for(['https://attacker.example', 'null', `${allowedOrigin}.attacker.example`])('%s may not', async (origin) => {
    const { headers } = await preflight(origin);
    expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
    expect(headers.get('Vary')).toBe('Origin');
  });
});

test('another path is 404', async () => {
  expect((await fetch(new URL('/functions/v1/other', stack.url))).status).toBe(404);
});

async function reject(commandId: string): Promise<void> {
  await stack.database.query(`select intent.reject_command($1, $2, 'TOO_LATE', 'no', '{}')`, [stack.tenantId, commandId]);
}

async function rejectWhenThere(commandId: string): Promise<void> {
  await untilThere(commandId);
  await reject(commandId);
}

async function untilThere(commandId: string): Promise<void> {
  const find = () => stack.database.query('select from intent.commands where command_id = $1', [commandId]);
  while ((await find()).rowCount === 0) await sleep(pollMs);
}
