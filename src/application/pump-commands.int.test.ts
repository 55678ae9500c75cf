import { once } from 'node:events';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCommandQueue } from '../adapters/postgres/command-queue.ts';
import { createDoorbell, type RunningDoorbell } from '../adapters/postgres/doorbell.ts';
import { systemClock } from '../adapters/system/clock.ts';
import type { CommandDispatcher } from '../ports/command-dispatcher.ts';
import type { ClaimedCommand, CommandQueue, Doorbell } from '../ports/command-queue.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { claimsOf, connect, createTenant, placeOrder, submitAs, type TestTenant } from '../testing/tenant.ts';
import { pumpCommands } from './pump-commands.ts';

const log = pino({ level: 'silent' });
const longPollMs = 20_000;

let database: TestDatabase;
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  tenant = await createTenant(db.admin);
});
afterAll(() => db.end());

const submit = () => submitAs(db.admin, claimsOf(tenant, 'owner'), placeOrder());
async function statusOf(commandId: string): Promise<string | undefined> {
  const { rows } = await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId]);
  return rows[0]?.status;
}

describe('the pump', () => {
  let doorbell: RunningDoorbell;
  let stopping: AbortController;
  let pumping: Promise<void>;
  beforeEach(async () => {
    doorbell = await createDoorbell({ connectionString: database.urlFor('intent_pump'), pool: db.pump, log });
    stopping = new AbortController();
  });
  afterEach(async () => {
    stopping.abort();
    await pumping;
    await doorbell.close();
  });

  type Start = (command: ClaimedCommand) => Promise<void>;
  function pump(
    start: Start,
    pollIntervalMs = longPollMs,
    bell: Doorbell = doorbell,
    onMark: (commands: readonly ClaimedCommand[]) => void = () => {},
  ): void {
    const dispatcher: CommandDispatcher = {
      dispatchAll: (commands) =>
        commands.map(async (command) => {
          await start(command);
          return 'started';
        }),
    };
    const real = createCommandQueue({ pool: db.pump, pumpName: 'test' });
    const queue: CommandQueue = { ...real, markDispatched: (commands) => (onMark(commands), real.markDispatched(commands)) };
    pumping = pumpCommands({ queue, doorbell: bell, dispatcher, wakeProcesses: async () => 0, clock: systemClock, log, pollIntervalMs }, stopping.signal);
  }
  /** Collects what is dispatched; `next` resolves with the next one. */
  function collector() {
    const waiting: ((command: ClaimedCommand) => void)[] = [];
    const dispatched: ClaimedCommand[] = [];
    const start: Start = async (command) => {
      dispatched.push(command);
      waiting.shift()?.(command);
    };
    return { start, dispatched, next: () => new Promise<ClaimedCommand>((resolve) => waiting.push(resolve)) };
  }

  it('is woken by the doorbell, long before it would poll', async () => {
    const { start, next } = collector();
    pump(start);
    for (let n = 0; n < 5; n += 1) {
      const arrived = next();
      const { commandId } = await submit();
      expect(await arrived).toMatchObject({ commandId });
      await expect.poll(() => statusOf(commandId)).toBe('dispatched');
    }
  });

  it('finds a command by polling where the bell is lost', async () => {
    await db.admin.query('alter table intent.commands disable trigger ring_doorbell');
    const { start, next } = collector();
    pump(start, 100);
    const arrived = next();
    const { commandId } = await submit();
    expect(await arrived).toMatchObject({ commandId });
    await db.admin.query('alter table intent.commands enable trigger ring_doorbell');
  });

  it('hears the bell again after its connection was cut', async () => {
    const { start, next } = collector();
    pump(start);
    await db.admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'intent-doorbell' and datname = $1`, [database.name]);
    await expect
      .poll(async () => (await db.admin.query(`select from pg_stat_activity where application_name = 'intent-doorbell' and datname = $1 and query ~* 'listen'`, [database.name])).rows.length, { timeout: 10_000 })
      .toBe(1);
    const arrived = next();
    const { commandId } = await submit();
    expect(await arrived).toMatchObject({ commandId });
  });

  it('gives commands back and drains them later, where the engine is away for a while', async () => {
    const { start, dispatched, next } = collector();
    let failures = 3;
    pump(async (command) => {
      failures -= 1;
      if (failures >= 0) throw new Error('Temporal is away');
      await start(command);
    }, 20);
    const arrived = next();
    const { commandId } = await submit();
    expect(await arrived).toMatchObject({ commandId });
    expect(dispatched).toHaveLength(1);
    const { rows } = await db.admin.query('select attempts from intent.commands where command_id = $1', [commandId]);
    expect(rows).toEqual([{ attempts: 1 }]);
  });

  it('gives back at once what it has claimed when it is asked to stop', async () => {
    const dispatcher: CommandDispatcher = { dispatchAll: () => expect.fail('Nothing is to be handed over any more.') };
    const queue = createCommandQueue({ pool: db.pump, pumpName: 'test' });
    const claim: CommandQueue['claim'] = async (maxCommands) => {
      const commands = await queue.claim(maxCommands);
      if (commands.length > 0) stopping.abort();
      return commands;
    };
    const { commandId } = await submit();
    pumping = pumpCommands({ queue: { ...queue, claim }, doorbell, dispatcher, wakeProcesses: async () => 0, clock: systemClock, log }, stopping.signal);
    await pumping;
    const { rows } = await db.admin.query('select status, claimed_by from intent.commands where command_id = $1', [commandId]);
    expect(rows).toEqual([{ status: 'pending', claimed_by: null }]);
    await db.admin.query('select intent.fail_command($1, $2, $3)', [tenant.tenantId, commandId, '{}']);
  });

  it('claims and hands over what comes while an earlier handover takes long', async () => {
    const { start, next } = collector();
    const release = Promise.withResolvers<void>();
    const slow = await submit();
    pump(async (command) => (command.commandId === slow.commandId ? release.promise : start(command)), 50);
    const arrived = next();
    const { commandId } = await submit();
    expect(await arrived).toMatchObject({ commandId });
    release.resolve();
    await expect.poll(() => statusOf(slow.commandId)).toBe('dispatched');
  });

  it('gathers what comes while a batch is under way, where the engine likes it so', async () => {
    const first = await Promise.all(Array.from({ length: 5 }, submit));
    const release = Promise.withResolvers<void>();
    const batches: ClaimedCommand[][] = [];
    const [claimed, gathered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const dispatcher: CommandDispatcher = {
      dispatchAll(commands) {
        if (commands.length > 0) batches.push([...commands]);
        (batches.length === 1 ? claimed : gathered).resolve();
        return commands.map(() => release.promise.then(() => 'started'));
      },
    };
    const queue = createCommandQueue({ pool: db.pump, pumpName: 'test' });
    const deps = { queue, doorbell, dispatcher, wakeProcesses: async () => 0, clock: systemClock, log, pollIntervalMs: longPollMs, gather: true };
    pumping = pumpCommands(deps, stopping.signal);
    await claimed.promise;
    const later = [];
    for (let n = 0; n < 10; n += 1) later.push(await submit());
    release.resolve();
    await gathered.promise;
    const ids = (commands: readonly { commandId: string }[]) => commands.map(({ commandId }) => commandId).toSorted();
    expect(batches.map(ids)).toEqual([ids(first), ids(later)]);
  });

  it('keeps its wait slot for commands that come one by one', async () => {
    let slots = 0;
    const { start, next } = collector();
    const counting = { takeWaitSlot: () => ((slots += 1), doorbell.takeWaitSlot()) };
    pump(start, longPollMs, counting);
    for (let n = 0; n < 5; n += 1) {
      const arrived = next();
      await submit();
      await arrived;
    }
    expect(slots).toBe(1);
  });

  it('gives its wait slot back, so that nobody rings, while the engine is slow to end what it has taken', async () => {
    let releases = 0;
    const counting: Doorbell = {
      async takeWaitSlot() {
        const slot = await doorbell.takeWaitSlot();
        return { ...slot, release: () => ((releases += 1), slot.release()) };
      },
    };
    // In one claim, so that one look at them sees that none has ended.
    const submitted = await Promise.all(Array.from({ length: 5 }, submit));
    const areDispatched = async () => (await Promise.all(submitted.map(({ commandId }) => statusOf(commandId)))).every((status) => status === 'dispatched');
    pump(collector().start, longPollMs, counting);
    await expect.poll(areDispatched, { timeout: 5_000 }).toBe(true);
    const before = releases;
    const submitOneMore = async () => (submitted.push(await submit()), releases);
    await expect.poll(submitOneMore, { timeout: 5_000 }).toBeGreaterThan(before);
    await expect.poll(areDispatched, { timeout: 5_000 }).toBe(true);
  });

  it('marks at once what has been started meanwhile, and leaves alone what has ended by then', async () => {
    const { start, next } = collector();
    const marked: string[][] = [];
    pump(start, longPollMs, doorbell, (commands) => marked.push(commands.map(({ commandId }) => commandId)));
    const commandIds: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const arrived = next();
      await submit();
      commandIds.push((await arrived).commandId);
    }
    await db.worker.query(`select intent.reject_command($1, $2, 'NO', 'no', '{}')`, [tenant.tenantId, commandIds[0]]);
    await expect.poll(() => Promise.all(commandIds.map(statusOf)), { timeout: 5_000 }).toEqual(['rejected', 'dispatched', 'dispatched']);
    expect(marked.flat().toSorted()).toEqual(commandIds.toSorted());
    expect(marked.length).toBeLessThan(3);
  });

  it('finishes the batch in hand before it stops', async () => {
    const begun = Promise.withResolvers<ClaimedCommand>();
    const finish = new AbortController();
    pump(async (command) => {
      begun.resolve(command);
      await once(finish.signal, 'abort');
    });
    const { commandId } = await submit();
    await begun.promise;
    stopping.abort();
    finish.abort();
    await pumping;
    expect(await statusOf(commandId)).toBe('dispatched');
  });
});
