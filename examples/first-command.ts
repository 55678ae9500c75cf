// The last step of setting up a project: a command as a member, and the broadcast of what it did.
//   node examples/first-command.ts https://<ref>.supabase.co sb_publishable_… owner@example.com
// It asks for the password on its standard input, so that it stands in no list of processes. The user must be an owner.
import { createInterface } from 'node:readline/promises';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { createIntentClient } from '../src/client/index.ts';
import { endWithWords } from '../src/local/end-with-words.ts';
import { StackError } from '../src/local/stack-error.ts';

const longestWaitMs = 10_000;

await endWithWords(async () => {
  const [url, publishableKey, email] = process.argv.slice(2);
  if (url === undefined || publishableKey === undefined || email === undefined) {
    throw new StackError('An address, a publishable key and an e-mail are needed.', 'See the head of examples/first-command.ts.');
  }
  const supabase = createClient(url, publishableKey, { auth: { persistSession: false } });
  try {
    await sendFirstCommand(supabase, email, await askPassword());
  } finally {
    await supabase.removeAllChannels();
    await supabase.auth.signOut({ scope: 'local' });
  }
  return 0;
});

async function sendFirstCommand(supabase: SupabaseClient, email: string, password: string): Promise<void> {
  const { data, error } = await supabase.auth.signInWithPassword({ email, password });
  if (error !== null) throw new StackError(`Nobody is signed in: ${error.message}.`, 'Is the e-mail confirmed, and the password right?');
  const { tenant_id: tenantId } = JSON.parse(Buffer.from(data.session.access_token.split('.')[1]!, 'base64url').toString()) as { tenant_id?: string };
  if (tenantId === undefined) {
    throw new StackError('The token names no tenant.', 'Is the access-token hook on, and the user a member: select intent.add_member(…)?');
  }
  console.log(`signed in as ${email}, in tenant ${tenantId}`);

  const told = Promise.withResolvers<unknown>();
  const joined = Promise.withResolvers<void>();
  supabase
    .channel(`tenant:${tenantId}:events`, { config: { private: true } })
    .on('broadcast', { event: 'appended' }, ({ payload }) => told.resolve(payload))
    .subscribe((status, cause) => {
      if (status === 'SUBSCRIBED') joined.resolve();
      else if (status === 'CHANNEL_ERROR') joined.reject(new StackError(`The tenant's channel: ${cause?.message}.`, 'Migrate again: it makes the policies.'));
    });
  await inTime(joined.promise, "The tenant's channel is not joined.", 'Is Realtime on in the project?');

  const result = await createIntentClient(supabase).send('OpenBudget', {
    aggregateId: `first-${Date.now().toString(36)}`,
    payload: { name: 'First', limit: 10_000 },
  });
  console.log(`the command has ended: ${JSON.stringify(result)}`);
  const heard = await inTime(told.promise, 'No broadcast came.', 'Run intent doctor, and look at the /readyz of a worker.');
  console.log(`and was broadcast: ${JSON.stringify(heard)}`);
}

async function askPassword(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  console.log('password?');
  for await (const line of lines) return line;
  throw new StackError('No password was given.', 'Type it, or pass it on the standard input.');
}

async function inTime<Value>(promise: Promise<Value>, message: string, remedy: string): Promise<Value> {
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(() => timer.reject(new StackError(message, remedy)), longestWaitMs);
  return Promise.race([promise, timer.promise]).finally(() => clearTimeout(timeout));
}
