import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createCommandQueue } from '../adapters/postgres/command-queue.ts';
import { createCommandStore } from '../adapters/postgres/command-store.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { createHandleBatch, type HandleBatch } from '../application/handle-batch.ts';
import { createHandleCommand, type HandleCommand } from '../application/handle-command.ts';
import { createSnapshotWriter } from '../application/snapshot-writer.ts';
import type { DomainMessage } from '../domain/kernel/decider.ts';
import { findSlice } from '../domain/registry.ts';
import type { CommandDispatcher } from '../ports/command-dispatcher.ts';
import type { ClaimedCommand } from '../ports/command-queue.ts';
import type { CommandStore } from '../ports/command-store.ts';
import type { Logger } from '../ports/logger.ts';
import { append } from './appends.ts';
import { createTestDatabase } from './database.ts';
import { renameAway } from './rename-away.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, submitAs, type TestTenant } from './tenant.ts';

export interface Engine {
  readonly dispatcher: CommandDispatcher;
  stop(): Promise<void>;
}

export interface EngineDeps {
  readonly handleCommand: HandleCommand;
  readonly handleBatch: HandleBatch;
  readonly store: CommandStore;
  readonly log: Logger;
}

/** What every engine must do with a claimed command; called within a `describe`. */
export function itDispatchesCommands(startEngine: (deps: EngineDeps) => Promise<Engine>): void {
  let db: ReturnType<typeof connect>;
  let tenant: TestTenant;
  let engine: Engine;
  const log = pino({ level: 'silent' });
  /** What attempts have ended with, by name. */
  const faults: string[] = [];
  const notingFaults = <Given extends readonly unknown[], Value>(work: (...given: Given) => Promise<Value>) => (...given: Given): Promise<Value> =>
    work(...given).catch((error: Error) => {
      faults.push(error.name);
      throw error;
    });

  beforeAll(async () => {
    db = connect(await createTestDatabase());
    tenant = await createTenant(db.admin);
    const store = createCommandStore({ pool: db.worker });
    const deps = { store, snapshots: createSnapshotWriter({ store, log }), clock: systemClock, longestFoldMs: 250 };
    engine = await startEngine({ handleCommand: notingFaults(createHandleCommand(deps)), handleBatch: notingFaults(createHandleBatch(deps)), store, log });
  });
  afterAll(async () => {
    await engine.stop();
    await db.end();
  });

  async function claimAll(): Promise<readonly ClaimedCommand[]> {
    return createCommandQueue({ pool: db.pump, pumpName: 'contract' }).claim(100);
  }
  async function dispatchAll(): Promise<void> {
    await Promise.all(engine.dispatcher.dispatchAll(await claimAll()));
  }
  const dispatch = (command: ClaimedCommand) => engine.dispatcher.dispatchAll([command])[0]!;
  const submit = (command: Parameters<typeof submitAs>[2]) => submitAs(db.admin, claimsOf(tenant, 'owner'), command);

  /** An engine may answer before the command has ended. */
  async function outcomeOf(commandId: string) {
    await expect.poll(() => statusOf(commandId), { timeout: 20_000 }).toMatch(/^(succeeded|rejected|failed)$/);
    const { rows } = await db.admin.query<{ status: string; outcome: unknown }>('select status, outcome from intent.commands where command_id = $1', [commandId]);
    return rows[0];
  }
  async function eventsOf(aggregateId: string): Promise<string[]> {
    const { rows } = await db.admin.query<{ type: string }>('select type from intent.events where aggregate_id = $1 order by version', [aggregateId]);
    return rows.map(({ type }) => type);
  }

  it('executes a command to its outcome', async () => {
    const { commandId } = await submit(openBudget('executes'));
    await dispatchAll();
    expect(await outcomeOf(commandId)).toMatchObject({ status: 'succeeded', outcome: { aggregateId: 'executes', firstVersion: 1, lastVersion: 1 } });
    expect(await eventsOf('executes')).toEqual(['BudgetOpened']);
  });

  it('settles a refusal of the domain as rejected, with its code', async () => {
    await submit(openBudget('twice'));
    await dispatchAll();
    const { commandId } = await submit(openBudget('twice'));
    // In order within the aggregate: it can be claimed once the first has ended.
    await expect.poll(async () => (await Promise.all(engine.dispatcher.dispatchAll(await claimAll()))).length, { timeout: 10_000 }).toBe(1);
    expect(await outcomeOf(commandId)).toMatchObject({ status: 'rejected', outcome: { code: 'BUDGET_ALREADY_OPEN' } });
  });

  it('rejects a payload that does not fit its schema as INVALID_PAYLOAD, and says where', async () => {
    const order = placeOrder();
    const { commandId } = await submit({ ...order, payload: { ...order.payload, lines: [{ item: 'Bread', quantity: 0, unitPrice: 1 }] } });
    await dispatchAll();
    expect(await outcomeOf(commandId)).toMatchObject({
      status: 'rejected',
      outcome: { code: 'INVALID_PAYLOAD', details: { errors: [{ path: 'lines.0.quantity' }] } },
    });
  });

  it('rejects a command whose expected version does not hold as CONFLICT', async () => {
    const { commandId } = await submit({ ...openBudget('expected'), expectedVersion: 3 });
    await dispatchAll();
    expect(await outcomeOf(commandId)).toMatchObject({ status: 'rejected', outcome: { code: 'CONFLICT', details: { expectedVersion: 3, actualVersion: 0 } } });
  });

  it('does nothing a second time for a command that is dispatched again, at once or after its end', async () => {
    const { commandId, ...order } = { ...placeOrder(), commandId: randomUUID() };
    await submit({ ...order, commandId });
    const [claimed] = await claimAll();
    await Promise.all([dispatch(claimed!), dispatch(claimed!)]);
    const outcome = await outcomeOf(commandId);
    await dispatch(claimed!);
    expect(await outcomeOf(commandId)).toEqual(outcome);
    expect(await eventsOf(order.aggregateId)).toEqual(['OrderPlaced']);
  });

  it('dead-letters a command that can never be executed, and executes the others', async () => {
    await db.admin.query(`insert into intent.message_types values ('Poison', 'poison', '^[a-z]+$', '{owner}', 1, 'temporal') on conflict do nothing`);
    const poison = await submit({ type: 'Poison', aggregateType: 'poison', aggregateId: 'poison', payload: {} });
    const order = await submit(placeOrder());
    await dispatchAll();
    expect(await outcomeOf(poison.commandId)).toMatchObject({ status: 'failed' });
    expect(await outcomeOf(order.commandId)).toMatchObject({ status: 'succeeded' });
    const { rows } = await db.operator.query('select error from intent.dead_letters where command_id = $1', [poison.commandId]);
    expect(rows).toEqual([{ error: { name: 'Error', message: 'No slice is registered for the aggregate type poison.' } }]);
  });

  const budgets = findSlice('budget')!;
  it.each([
    {
      what: 'of a type that this release does not know',
      release: () => change(budgets.commands, 'ChangeBudgetLimit', undefined),
      error: { name: 'Error', message: 'The slice budget has no command ChangeBudgetLimit.' },
    },
    {
      what: 'on a stream that this release cannot read',
      release: () => change(budgets.events, 'BudgetOpened', { ...budgets.events['BudgetOpened'], schemaVersion: 2 }),
      error: { name: 'Error', message: 'There is no upcaster for BudgetOpened from schema version 1.' },
    },
    {
      what: 'that this release has a bug for',
      release: () => change(budgets.decider, 'decide', () => { throw new TypeError('limit is not iterable'); }),
      error: { name: 'TypeError', message: 'limit is not iterable' },
    },
  ])('dead-letters a command $what, with the reason, and executes it after the fix where an operator retries it', async ({ what, release, error }) => {
    const aggregateId = what.replaceAll(' ', '-');
    const opened = await submit(openBudget(aggregateId));
    await dispatchAll();
    await outcomeOf(opened.commandId);

    const mend = release();
    onTestFinished(mend);
    const { commandId } = await submit({ type: 'ChangeBudgetLimit', aggregateType: 'budget', aggregateId, payload: { limit: 2_000 } });
    await dispatchAll();
    expect(await outcomeOf(commandId)).toMatchObject({ status: 'failed' });
    expect((await db.operator.query('select error from intent.dead_letters where command_id = $1', [commandId])).rows).toEqual([{ error }]);

    mend();
    await db.operator.query('select intent.retry_command($1, $2)', [tenant.tenantId, commandId]);
    const [claimed] = await claimAll();
    // Its first workflow may be about to end; one that is lost in that moment is for the reconciler, which there is none of here.
    await expect.poll(() => dispatch(claimed!).then(() => statusOf(commandId)), { timeout: 10_000 }).toBe('succeeded');
    expect(await eventsOf(aggregateId)).toEqual(['BudgetOpened', 'BudgetLimitChanged']);
  });

  it('executes a command on a stream that takes several attempts to fold, each beginning where the one before has come to', async () => {
    const events = Array.from({ length: 1_500 }, (_, n) => ({ type: 'BudgetLimitChanged', payload: { limit: n } }));
    const opened = { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 1 } };
    for (const page of [[opened], events.slice(0, 750), events.slice(750)]) {
      await append(db.worker, tenant.tenantId, { aggregateType: 'budget', aggregateId: 'long', expectedVersion: null, events: page });
    }
    const { evolve } = budgets.decider;
    let evolved = 0;
    onTestFinished(change(budgets.decider, 'evolve', (state: unknown, event: DomainMessage) => {
      evolved += 1;
      for (const until = performance.now() + 0.5; performance.now() < until; );
      return evolve(state, event);
    }));
    const { commandId } = await submit({ type: 'ChangeBudgetLimit', aggregateType: 'budget', aggregateId: 'long', payload: { limit: 2_000 } });
    await dispatchAll();
    expect(await outcomeOf(commandId)).toMatchObject({ status: 'succeeded', outcome: { lastVersion: 1_502 } });
    expect(evolved).toBeLessThan(2 * 1_502);
  });

  it('leaves a command open on a stream with an event of a newer release, for as long as it takes, and executes it with that release', async () => {
    const events = [{ type: 'BudgetOpened', payload: { name: 'Groceries', limit: 1 } }, { type: 'BudgetPainted', payload: { colour: 'green' } }];
    await append(db.worker, tenant.tenantId, { aggregateType: 'budget', aggregateId: 'painted', expectedVersion: 0, events });
    const { evolve } = budgets.decider;
    let evolved = 0;
    onTestFinished(change(budgets.decider, 'evolve', (state: unknown, event: DomainMessage) => {
      evolved += 1;
      return event.type === 'BudgetPainted' ? state : evolve(state, event);
    }));
    const { commandId } = await submit({ type: 'ChangeBudgetLimit', aggregateType: 'budget', aggregateId: 'painted', payload: { limit: 2_000 } });
    const claimed = await claimAll();
    const dispatched = Promise.allSettled(engine.dispatcher.dispatchAll(claimed));
    await expect.poll(() => evolved, { timeout: 10_000 }).toBeGreaterThan(1);
    await dispatched;
    expect(await statusOf(commandId)).toBe('pending');

    onTestFinished(change(budgets.events, 'BudgetPainted', { schemaVersion: 1 }));
    // The other engine's workflow goes on by itself.
    await expect.poll(() => Promise.allSettled(claimed.map(dispatch)).then(() => statusOf(commandId)), { timeout: 15_000 }).toBe('succeeded');
  });

  it.each([
    ['function', () => renameAway(db.admin, ['load_command', 'load_batch'])],
    ['table', () => undoing('alter table intent.snapshots rename to of_another_release', 'alter table intent.of_another_release rename to snapshots')],
    ['privilege', () => undoing('revoke usage on schema intent from intent_worker', 'grant usage on schema intent to intent_worker')],
  ])('leaves a command open while a %s is missing, for as long as it takes, and executes it once it is there', async (what, takeAway) => {
    const { commandId } = await submit(openBudget(`needs-a-${what}`));
    const claimed = await claimAll();
    const giveBack = await takeAway();
    try {
      faults.length = 0;
      const dispatched = Promise.allSettled(engine.dispatcher.dispatchAll(claimed));
      await expect.poll(() => faults.length, { timeout: 10_000 }).toBeGreaterThan(1);
      await dispatched;
      expect(new Set(faults)).toEqual(new Set(['SchemaUnfit']));
      expect(await statusOf(commandId)).toBe('pending');
    } finally {
      await giveBack();
    }
    // The other engine's workflow goes on by itself.
    await expect.poll(() => Promise.allSettled(claimed.map(dispatch)).then(() => statusOf(commandId)), { timeout: 15_000 }).toBe('succeeded');
    expect((await db.operator.query('select from intent.dead_letters where command_id = $1', [commandId])).rowCount).toBe(0);
    expect(await eventsOf(`needs-a-${what}`)).toEqual(['BudgetOpened']);
  });

  it('settles all of 16 commands that race for one stream, each by its own decision', async () => {
    await submit(openBudget('race'));
    await dispatchAll();
    await expect.poll(() => eventsOf('race')).toHaveLength(1);
    const commandIds = Array.from({ length: 16 }, () => randomUUID());
    // Past the queue's order, as after an operator's mistake: the store alone must keep them apart.
    const reserve = commandIds.map((commandId) =>
      db.worker.query(`select intent.submit_system_command($1, $2, 'ReserveBudget', 'budget', 'race', $3, null, null)`, [
        tenant.tenantId, commandId, JSON.stringify({ orderId: randomUUID(), amount: 100 }),
      ]),
    );
    await Promise.all(reserve);
    const claimed = commandIds.map((commandId): ClaimedCommand => ({
      tenantId: tenant.tenantId, commandId, type: 'ReserveBudget', correlationId: commandId, traceparent: null, fencingToken: '0', execution: 'temporal', isolation: 'shared', fairnessWeight: 1, attempts: 1, waitedSeconds: 0,
    }));
    await Promise.allSettled(claimed.map(dispatch));
    for (const command of claimed) {
      if ((await statusOf(command.commandId)) === 'pending') await dispatch(command);
      expect(await outcomeOf(command.commandId)).toMatchObject({ status: 'succeeded' });
    }
    const events = await eventsOf('race');
    expect(events.filter((type) => type === 'BudgetReserved')).toHaveLength(10);
    expect(events.filter((type) => type === 'BudgetReservationRefused')).toHaveLength(6);
  });

  async function undoing(statement: string, undo: string): Promise<() => Promise<void>> {
    await db.admin.query(statement);
    return async () => void (await db.admin.query(undo));
  }

  async function statusOf(commandId: string): Promise<string | undefined> {
    const { rows } = await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId]);
    return rows[0]?.status;
  }
}

/** As another release would have it; returns what changes it back. */
function change<Changed extends object>(object: Changed, key: keyof Changed, value: unknown): () => void {
  const before = object[key];
  Object.assign(object, { [key]: value });
  return () => void Object.assign(object, { [key]: before });
}
