// A command's whole way, as an app would send and see it: run it with `npm run example` beside `npm start`.
// Everything here is the unmodified supabase-js and our client over it; nothing looks behind the API.
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { createClient } from '@supabase/supabase-js';
import { CommandError, type CommandResult, type CommandToSend, createIntentClient } from '../src/client/index.ts';
import { type Connection, readConnection } from './connection.ts';

/** Plays the example and prints one line a step. Throws if a step does not end as it should. */
export async function playWalkthrough(connection: Connection, print: (line: string) => void): Promise<void> {
  const step = createSteps(print);
  const alice = await signIn(connection, 'alice');
  const bob = await signIn(connection, 'bob');
  const dave = await signIn(connection, 'dave');
  const budgetId = `groceries-${Date.now().toString(36)}`;
  const orderId = randomUUID();

  await step('alice', `opens the budget ${budgetId}`, async () =>
    succeeded(await alice.intent.send('OpenBudget', { aggregateId: budgetId, payload: { name: 'Groceries', limit: 50_000 } })),
  );

  const order = bob.intent.follow('order', orderId);
  await firstOf(order, (seen) => seen.connection.status === 'live');
  const placeOrder: CommandToSend<'PlaceOrder'> = {
    commandId: randomUUID(),
    aggregateId: orderId,
    payload: { budgetId, lines: [{ item: 'Bread', quantity: 2, unitPrice: 350 }] },
  };
  const placed = step('alice', 'places an order of 7.00', async () => succeeded(await alice.intent.send('PlaceOrder', placeOrder)));
  await step('bob', 'sees it live, in another client', async () => {
    const { state, version, position } = await firstOf(order, (seen) => seen.state.status !== 'not_placed' && seen.position !== null);
    return { outcome: `${state.status}, version ${version}`, position: position! };
  });
  await placed;
  order.close();

  await step('alice', 'sends the same command again', async () => {
    const again = await alice.intent.send('PlaceOrder', placeOrder);
    if (!again.duplicate) throw new Error('The second send was taken for a new command.');
    return { ...succeeded(again), outcome: 'duplicate: the first outcome, no second effect' };
  });

  const roseId = connection.users.find(({ email }) => email.startsWith('alice'))?.tenants[0]?.tenantId;
  if (roseId === undefined) throw new Error('alice has no tenant.');
  await step('dave', "sends a command to alice's household", async () => {
    const refusal: unknown = await dave.intent.send('PlaceOrder', { ...placeOrder, commandId: randomUUID(), tenantId: roseId }).catch((error: unknown) => error);
    if (!(refusal instanceof CommandError)) throw new Error('A stranger was let in.', { cause: refusal });
    return { outcome: `refused: ${refusal.code}` };
  });
  await step('dave', "looks for alice's order", async () => {
    const { data } = await dave.supabase.schema('api').from('orders').select().eq('order_id', orderId);
    if (data?.length !== 0) throw new Error('A stranger sees the order.');
    return { outcome: 'nothing is there' };
  });

  await Promise.all([alice, bob, dave].map(({ supabase }) => supabase.removeAllChannels()));
}

async function signIn({ apiUrl, publishableKey, users }: Connection, name: string) {
  const user = users.find(({ email }) => email.startsWith(`${name}@`));
  if (user === undefined) throw new Error(`There is no user ${name}.`);
  const supabase = createClient(apiUrl, publishableKey, { auth: { persistSession: false } });
  const { error } = await supabase.auth.signInWithPassword(user);
  if (error !== null) throw new Error(`${name} cannot sign in: ${error.message}`, { cause: error });
  return { supabase, intent: createIntentClient(supabase) };
}

async function firstOf<Seen>(following: AsyncIterable<Seen>, isWanted: (seen: Seen) => boolean): Promise<Seen> {
  for await (const seen of following) if (isWanted(seen)) return seen;
  throw new Error('The following has ended.');
}

interface StepResult {
  readonly outcome: string;
  readonly position?: number;
}

function createSteps(print: (line: string) => void) {
  print(row('who', 'what', 'outcome', 'position', 'ms'));
  return async (who: string, what: string, run: () => Promise<StepResult>): Promise<void> => {
    const beganAt = performance.now();
    const { outcome, position } = await run();
    print(row(who, what, outcome, position?.toString() ?? '–', (performance.now() - beganAt).toFixed(0)));
  };
}

function row(who: string, what: string, outcome: string, position: string, ms: string): string {
  return `  ${who.padEnd(6)} ${what.padEnd(38)} ${outcome.padEnd(46)} ${position.padStart(8)} ${ms.padStart(6)}`;
}

function succeeded(result: CommandResult): StepResult {
  if (result.status !== 'succeeded') throw new Error(`The command ended as ${JSON.stringify(result)}.`);
  return { outcome: `succeeded, version ${result.outcome.lastVersion}`, position: result.outcome.lastPosition };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await playWalkthrough(await readConnection(), console.log);
  // supabase-js leaves a timer of ten seconds behind.
  process.exit();
}
