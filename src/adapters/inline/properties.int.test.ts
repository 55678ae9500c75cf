import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHandleBatch, type HandleBatch } from '../../application/handle-batch.ts';
import { createHandleCommand } from '../../application/handle-command.ts';
import { createSnapshotWriter } from '../../application/snapshot-writer.ts';
import type { Role } from '../../domain/kernel/message.ts';
import { misnumbered } from '../../testing/appends.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { claimsOf, connect, createTenant, submitAs, type TestTenant } from '../../testing/tenant.ts';
import { createCommandQueue } from '../postgres/command-queue.ts';
import { createCommandStore } from '../postgres/command-store.ts';
import { systemClock } from '../system/clock.ts';
import { createInlineDispatcher } from './dispatcher.ts';

/** For searching and for making what was found smaller; then the test says what it has. */
const longestMs = 4_000;

const log = pino({ level: 'silent' });

let db: ReturnType<typeof connect>;
beforeAll(async () => {
  db = connect(await createTestDatabase());
  await db.admin.query(`insert into intent.message_types values ('Poison', 'budget', '^.+$', '{owner,member}', 1, 'inline')`);
});
afterAll(() => db.end());

const anyCommand = fc.record({
  budget: fc.constantFrom('a', 'b', 'c'),
  role: fc.constantFrom<Role>('owner', 'owner', 'member'),
  type: fc.constantFrom('OpenBudget', 'ChangeBudgetLimit', 'ChangeBudgetLimit', 'Poison'),
  // Negative ones do not fit the schema.
  limit: fc.integer({ min: -1, max: 5 }),
  expectedVersion: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
});
type AnyCommand = typeof anyCommand extends fc.Arbitrary<infer Value> ? Value : never;

async function submit(tenant: TestTenant, { budget, role, type, limit, expectedVersion }: AnyCommand): Promise<void> {
  const payload = type === 'OpenBudget' ? { name: 'Food', limit } : { limit };
  await submitAs(db.admin, claimsOf(tenant, role), {
    type, aggregateType: 'budget', aggregateId: budget, payload, commandId: randomUUID(), ...(expectedVersion !== undefined && { expectedVersion }),
  });
}

function commandDeps() {
  const store = createCommandStore({ pool: db.worker });
  return { store, snapshots: createSnapshotWriter({ store, log }), clock: systemClock };
}

/** Executes all that waits; returns every outcome in the order of submission, and every stream. */
async function drain(tenant: TestTenant, handleBatch?: HandleBatch) {
  const handleCommand = createHandleCommand(commandDeps());
  const oneByOne: HandleBatch = async () => ({ settled: new Set(), bugs: new Map() });
  const engine = createInlineDispatcher({ store: commandDeps().store, log, handleCommand, handleBatch: handleBatch ?? oneByOne });
  const queue = createCommandQueue({ pool: db.pump, pumpName: 'pump' });
  for (let claimed = await queue.claim(100); claimed.length > 0; claimed = await queue.claim(100)) await Promise.all(engine.dispatchAll(claimed));

  // The order of aggregates, and so positions, may differ: they are checked for holes instead.
  const outcomes = await db.admin.query(
    `select aggregate_id, type, status, outcome - '{firstPosition,lastPosition}'::text[] as outcome, error from intent.commands
     where tenant_id = $1 order by due_at, command_id`, [tenant.tenantId]);
  const events = await db.admin.query(
    'select aggregate_id, version::int, type, payload from intent.events where tenant_id = $1 order by aggregate_id, version', [tenant.tenantId]);
  return { outcomes: outcomes.rows, events: events.rows };
}

describe('the inline engine, whatever waits in its queue', () => {
  it('gives in batches exactly the outcomes and events that it gives one by one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 1, maxLength: 25 }), async (commands) => {
        const [batched, single] = await Promise.all([createTenant(db.admin), createTenant(db.admin)]);
        for (const command of commands) await submit(batched, command);
        const handleBatch = createHandleBatch(commandDeps());
        const inBatches = await drain(batched, handleBatch);
        for (const command of commands) await submit(single, command);
        expect(inBatches).toEqual(await drain(single));
        expect(inBatches.outcomes).toHaveLength(commands.length);
      }),
      { numRuns: 10, plugins: [fc.interruptAfterTimeLimit(longestMs)] },
    );
    expect(await misnumbered(db.admin)).toEqual([]);
  }, longestMs * 2);
});
