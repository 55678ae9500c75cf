import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestGateway } from '../local/gateway/testing/test-gateway.ts';
import { startClientGateway } from './client-gateway.ts';
import { createClientTenant } from './client-tenant.ts';
import { expectSoon } from './expect-soon.ts';

// What an owner may have set on the database, or its province's habit, and none of ours relies on: all at once.
const settings: Record<string, string> = {
  DateStyle: 'SQL, DMY',
  TimeZone: 'Pacific/Chatham',
  IntervalStyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  quote_all_identifiers: 'on',
  transform_null_equals: 'on',
  array_nulls: 'off',
  standard_conforming_strings: 'off',
  escape_string_warning: 'off',
  search_path: 'nowhere',
  client_encoding: 'LATIN1',
  lc_messages: 'C',
  default_transaction_isolation: 'serializable',
};

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startClientGateway(async (admin) => {
    const { rows } = await admin.query<{ name: string }>('select current_database() as name');
    for (const [name, value] of Object.entries(settings)) await admin.query(`alter database ${rows[0]!.name} set ${name} = '${value}'`);
  });
});

afterAll(() => gateway.stop());

test('sign-in, refresh and the user are as ever, with times that every browser reads', async () => {
  const { email, client } = await gateway.signUp('settings');
  expect((await client.auth.refreshSession()).error).toBeNull();
  const { data } = await client.auth.getUser();
  expect(data.user).toMatchObject({ email, last_sign_in_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) });
});

test('a command, its event and its duplicate are as ever, and the client follows them', async () => {
  const tenant = await createClientTenant(gateway);
  const budgetId = 'groceries';
  const commandId = randomUUID();
  const submit = () =>
    tenant.client.schema('api').rpc('submit_command', {
      command_id: commandId,
      type: 'OpenBudget',
      aggregate_type: 'budget',
      aggregate_id: budgetId,
      payload: { name: 'Gro\\ceries "ä" null', limit: 9_007_199_254_740_991 },
      execute_at: '2026-11-22T10:00:00.123456Z',
    });
  expect((await submit()).data).toMatchObject({ status: 'pending', duplicate: false });
  expect((await submit()).data).toMatchObject({ status: 'pending', duplicate: true });
  const following = tenant.follow('budget', budgetId);
  following.subscribe(() => {});
  const payload = { name: 'Gro\\ceries "ä" null', limit: 9_007_199_254_740_991 };
  await tenant.append(budgetId, { type: 'BudgetOpened', payload }, commandId);
  await expectSoon(() => following.getSnapshot().state).toMatchObject(payload);
  following.close();
  const { data } = await tenant.client.schema('api').from('budgets').select('*');
  expect(data).toMatchObject([{ budget_id: budgetId, spending_limit: payload.limit, version: 1 }]);
  expect((await submit()).data).toMatchObject({ status: 'succeeded', duplicate: true });
});

test('the doctor finds nothing, from a connection that has these settings', async () => {
  const operator = new pg.Client({ connectionString: gateway.adminUrl });
  await operator.connect();
  const { rows } = await operator.query<{ style: string }>(`select current_setting('DateStyle') as style`);
  expect(rows[0]!.style).toBe('SQL, DMY');
  expect((await operator.query('select * from intent.doctor()')).rows).toEqual([]);
  await operator.end();
});

test('nothing of it was written into the log as a fault', () => {
  expect(gateway.log.filter((line) => !line.includes('stand-in'))).toEqual([]);
});
