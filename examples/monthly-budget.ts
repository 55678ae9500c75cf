// A command that recurs: alice's household gets a new budget on the first of each month. Run it with
// `npm run example:schedule` beside `npm start`. The same schedule again is a change of it; `api.drop_schedule` ends it.
import { pathToFileURL } from 'node:url';
import { createClient } from '@supabase/supabase-js';
import { type Connection, readConnection } from './connection.ts';

export const scheduleId = 'monthly-groceries';

/** Returns what recurs in the household from now on, as its owner sees it. */
export async function scheduleMonthlyBudget({ apiUrl, publishableKey, users }: Connection) {
  const supabase = createClient(apiUrl, publishableKey, { auth: { persistSession: false } });
  const { error } = await supabase.auth.signInWithPassword(users.find(({ email }) => email.startsWith('alice@'))!);
  if (error !== null) throw error;
  const api = supabase.schema('api');
  await api
    .rpc('schedule_command', {
      schedule_id: scheduleId,
      cron: '0 6 1 * *',
      time_zone: 'Europe/Berlin',
      type: 'OpenBudget',
      aggregate_type: 'budget',
      // Of the month in which it is due, where the household lives.
      aggregate_id: 'groceries-{month}',
      payload: { name: 'Groceries {month}', limit: 40_000 },
    })
    .throwOnError();
  const { data } = await api.from('schedules').select('schedule_id, cron, time_zone, type, paused_because').throwOnError();
  return data;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.table(await scheduleMonthlyBudget(await readConnection()));
  // supabase-js leaves a timer behind.
  process.exit();
}
