import { createClient } from '@supabase/supabase-js';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, it } from 'vitest';
import { temporalScheduleId } from '../src/adapters/temporal/schedules.ts';
import { scheduleId, scheduleMonthlyBudget } from './monthly-budget.ts';
import { needs } from '../src/testing/needs.ts';

const stack = inject('stack');

it("opens the month's budget at each occasion, once for two runs of the example, and shows what recurs", needs(stack.temporal, 'there is no Temporal'), async () => {
  await scheduleMonthlyBudget(stack);
  expect(await scheduleMonthlyBudget(stack)).toEqual([
    { schedule_id: scheduleId, cron: '0 6 1 * *', time_zone: 'Europe/Berlin', type: 'OpenBudget', paused_because: null },
  ]);

  const connection = await Connection.connect({ address: stack.temporal!.address });
  const { tenantId } = stack.users.find(({ email }) => email.startsWith('alice@'))!.tenants[0]!;
  const schedule = new Client({ connection }).schedule.getHandle(temporalScheduleId({ tenantId, scheduleId }));
  // The worker looks every five seconds.
  await expect.poll(() => schedule.trigger().then(() => 'triggered', () => 'not there'), { timeout: 20_000, interval: 200 }).toBe('triggered');
  await connection.close();

  const alice = createClient(stack.apiUrl, stack.publishableKey, { auth: { persistSession: false } });
  await alice.auth.signInWithPassword(stack.users.find(({ email }) => email.startsWith('alice@'))!);
  const opened = async () => (await alice.schema('api').from('budgets').select('name, spending_limit').like('budget_id', 'groceries-____-__')).data;
  await expect.poll(opened, { timeout: 15_000 }).toEqual([{ name: expect.stringMatching(/^Groceries \d{4}-\d\d$/) as unknown, spending_limit: 40_000 }]);
  await alice.schema('api').rpc('drop_schedule', { schedule_id: scheduleId });
});
