import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCommandStore } from '../adapters/postgres/command-store.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { append } from '../testing/appends.ts';
import { createTestDatabase } from '../testing/database.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../testing/tenant.ts';
import { createHandleBatch } from './handle-batch.ts';
import { createHandleCommand } from './handle-command.ts';
import { createSnapshotWriter } from './snapshot-writer.ts';

// A deploy: a newer release has been at work already, and this one meets what it cannot read.
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
beforeEach(async () => {
  tenant = await createTenant(db.admin);
  const events = [{ type: 'BudgetOpened', payload: { name: 'Groceries', limit: 1 } }, { type: 'BudgetLimitChanged', schemaVersion: 2, payload: { limit: 2, currency: 'EUR' } }];
  await append(db.worker, tenant.tenantId, { aggregateType: 'budget', aggregateId: 'groceries', expectedVersion: 0, events });
});
afterAll(() => db.end());

const changeLimit = { type: 'ChangeBudgetLimit', aggregateType: 'budget', aggregateId: 'groceries', payload: { limit: 3 } };
const submit = (command: Parameters<typeof submitAs>[2]) => submitAs(db.admin, claimsOf(tenant, 'owner'), command);

function deps() {
  const store = createCommandStore({ pool: db.worker });
  return { store, snapshots: createSnapshotWriter({ store, log: pino({ level: 'silent' }) }), clock: systemClock };
}

async function statusOf(commandId: string) {
  const { rows } = await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId]);
  return rows[0]?.status;
}

describe('a command on a stream with an event of a newer schema version', () => {
  it('stays open for a worker of that release: a fault that passes, not a wrong decision', async () => {
    const { commandId } = await submit(changeLimit);
    await expect(createHandleCommand(deps())({ tenantId: tenant.tenantId, commandId })).rejects.toMatchObject({ name: 'ReleaseOutdated' });
    expect(await statusOf(commandId)).toBe('pending');
  });

  it('stays open in a batch as well, and the batch goes on without it', async () => {
    const waiting = await submit(changeLimit);
    const other = await submit(openBudget('holidays'));
    const { settled, bugs } = await createHandleBatch(deps())(tenant.tenantId, [waiting.commandId, other.commandId]);
    expect({ settled: [...settled], bugs: bugs.size }).toEqual({ settled: [other.commandId], bugs: 0 });
    expect([await statusOf(waiting.commandId), await statusOf(other.commandId)]).toEqual(['pending', 'succeeded']);
  });
});

it('a command of a newer schema version is no dead letter: it stays open for a worker of that release', async () => {
  const { commandId } = await submit(openBudget('holidays'));
  await db.admin.query('update intent.commands set schema_version = 2 where command_id = $1', [commandId]);
  const { settled, bugs } = await createHandleBatch(deps())(tenant.tenantId, [commandId]);
  expect({ settled: settled.size, bugs: bugs.size }).toEqual({ settled: 0, bugs: 0 });
  await expect(createHandleCommand(deps())({ tenantId: tenant.tenantId, commandId })).rejects.toMatchObject({ name: 'ReleaseOutdated' });
});
