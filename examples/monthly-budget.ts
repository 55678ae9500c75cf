// A command that recurs: alice's household gets a new budget on the first of each month. Run it with `node examples/monthly-budget.ts`
// beside `npm start`. The same schedule again is a change of it; `api.drop_schedule` ends it.
import { readFile } from 'node:fs/promises';
import { createClient } from '@supabase/supabase-js';
import type { Connection } from './walkthrough.ts';

const { apiUrl, publishableKey, users } = JSON.parse(await readFile(process.argv[2] ?? '.intent/stack.json', 'utf8')) as Connection;
const supabase = createClient(apiUrl, publishableKey, { auth: { persistSession: false } });
const { error: refusal } = await supabase.auth.signInWithPassword(users.find(({ email }) => email.startsWith('alice@'))!);
if (refusal !== null) throw refusal;

const { error } = await supabase.schema('api').rpc('schedule_command', {
  schedule_id: 'monthly-groceries',
  cron: '0 6 1 * *',
  time_zone: 'Europe/Berlin',
  type: 'OpenBudget',
  aggregate_type: 'budget',
  // Of the month in which it is due, where the household lives.
  aggregate_id: 'groceries-{month}',
  payload: { name: 'Groceries {month}', limit: 40_000 },
});
if (error !== null) throw new Error(error.message, { cause: error });

const schedules = await supabase.schema('api').from('schedules').select('schedule_id, cron, time_zone, type, paused_because');
console.table(schedules.data);
process.exit();
