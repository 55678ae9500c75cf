import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCommandQueue } from '../adapters/postgres/command-queue.ts';
import { createDoorbell } from '../adapters/postgres/doorbell.ts';
import { createProcessQueue } from '../adapters/postgres/process-queue.ts';
import { systemClock } from '../adapters/system/clock.ts';
import type { ClaimedProcess, ProcessQueue } from '../ports/process-queue.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { queueReaction } from '../testing/processes.ts';
import { connect, createTenant, type TestTenant } from '../testing/tenant.ts';
import { pumpCommands } from './pump-commands.ts';
import { createReportWaitingProcesses, createWakeProcesses } from './wake-processes.ts';

const silent = pino({ level: 'silent' });

let database: TestDatabase;
let db: ReturnType<typeof connect>;
let tenant: TestTenant;
let queue: ProcessQueue;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  queue = createProcessQueue({ pool: db.pump, pumpName: 'test' });
});
beforeEach(async () => {
  await db.admin.query('update intent.processes set wake_at = null');
  tenant = await createTenant(db.admin);
});
afterAll(() => db.end());

async function waitingAtMostASecond(): Promise<number> {
  const { rows } = await db.admin.query(`select from intent.processes where wake_at <= clock_timestamp() + interval '1 second'`);
  return rows.length;
}

describe('the pump', () => {
  it('wakes a process manager at the bell, long before it would poll', async () => {
    const doorbell = await createDoorbell({ connectionString: database.urlFor('intent_pump'), pool: db.pump, log: silent });
    const stopping = new AbortController();
    let woken = Promise.withResolvers<ClaimedProcess>();
    const wakeProcesses = createWakeProcesses({ queue, waker: { wake: async (process) => woken.resolve(process) }, log: silent });
    const commands = createCommandQueue({ pool: db.pump, pumpName: 'test' });
    const dispatcher = { dispatchAll: () => [] };
    const pumping = pumpCommands(
      { queue: commands, doorbell, dispatcher, wakeProcesses, clock: systemClock, log: silent, pollIntervalMs: 20_000 },
      stopping.signal,
    );
    for (let n = 0; n < 3; n += 1) {
      woken = Promise.withResolvers();
      const key = await queueReaction(db, tenant.tenantId);
      expect(await woken.promise).toMatchObject({ process: 'order-fulfilment', key });
    }
    stopping.abort();
    await pumping;
    await doorbell.close();
  });

  it('gives back whom the engine could not take, after all others are woken', async () => {
    const keys = [await queueReaction(db, tenant.tenantId), await queueReaction(db, tenant.tenantId)];
    const woken: string[] = [];
    const waker = {
      async wake({ key }: ClaimedProcess) {
        if (key === keys[0]) throw new Error('Temporal is away');
        woken.push(key);
      },
    };
    await expect(createWakeProcesses({ queue, waker, log: silent })(10)).rejects.toThrow('Temporal is away');
    expect(woken).toEqual([keys[1]]);
    expect(await waitingAtMostASecond()).toBe(1);
  });
});

describe('without an engine for process managers', () => {
  it('the log says once a minute how many wait, and leaves them to be woken', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const clock = { ...systemClock, now: () => new Date(now).toISOString() };
    const lines: { level: number; waiting: number; msg: string }[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]) });
    const report = createReportWaitingProcesses({ queue, clock, log });
    await queueReaction(db, tenant.tenantId);
    await queueReaction(db, tenant.tenantId);

    expect(await report(10)).toBe(0);
    expect(lines).toMatchObject([{ level: 40, waiting: 2, msg: 'Process managers wait: they need Temporal' }]);
    expect(await waitingAtMostASecond()).toBe(2);

    await queueReaction(db, tenant.tenantId);
    now += 59_000;
    await report(10);
    expect(lines).toHaveLength(1);
    now += 1_000;
    await report(10);
    expect(lines).toHaveLength(2);
  });

  it('the log is silent where none waits', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => lines.push(line) });
    await createReportWaitingProcesses({ queue, clock: systemClock, log })(10);
    expect(lines).toEqual([]);
  });
});
