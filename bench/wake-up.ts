import { pino } from 'pino';
import { createCommandQueue } from '../src/adapters/postgres/command-queue.ts';
import { createDoorbell } from '../src/adapters/postgres/doorbell.ts';
import { createPool } from '../src/adapters/postgres/pool.ts';
import { systemClock } from '../src/adapters/system/clock.ts';
import { pumpCommands } from '../src/application/pump-commands.ts';
import type { Doorbell } from '../src/ports/command-queue.ts';
import { claimsOf, createTenant, placeOrder, submitAs } from '../src/testing/tenant.ts';
import { startBenchServer } from './database.ts';
import { quantile } from './quantile.ts';
import { round, toRow, type Row } from './row.ts';

const wakeUps = 1_000;
const warmUpCommands = 20;
const pollIntervalMs = 10_000;

/** From the call of `api.submit_command` to the dispatch by a pump that was asleep. A lost bell would show as ten seconds. */
export async function wakeUp({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const database = await server.createDatabase('wake_up');
    const tenant = await createTenant(database.admin);
    const log = pino({ level: 'silent' });
    const connectionString = database.urlFor('intent_pump');
    const pool = createPool({ connectionString, applicationName: 'bench', maxConnections: 5, log });
    const realDoorbell = await createDoorbell({ connectionString, pool, log });
    const { doorbell, asleep } = observe(realDoorbell);
    const stopping = new AbortController();
    let dispatched = () => {};
    const pumping = pumpCommands({
      queue: createCommandQueue({ pool, pumpName: 'bench' }),
      doorbell,
      dispatcher: {
        dispatchAll: (commands) =>
          commands.map(async () => {
            dispatched();
            return 'started';
          }),
      },
      wakeProcesses: async () => 0,
      clock: systemClock,
      log,
      pollIntervalMs,
    }, stopping.signal);

    const sample: number[] = [];
    for (let n = 0; n < warmUpCommands + wakeUps * scale; n += 1) {
      await asleep();
      const dispatch = new Promise<number>((resolve) => (dispatched = () => resolve(performance.now())));
      const beganAt = performance.now();
      await submitAs(database.admin, claimsOf(tenant, 'member'), placeOrder());
      const elapsedMs = (await dispatch) - beganAt;
      if (n >= warmUpCommands) sample.push(elapsedMs);
    }
    stopping.abort();
    await pumping;
    await realDoorbell.close();
    await pool.end();
    return [toRow({
      benchmark: 'wake-up',
      measured: `p99 of ${sample.length} wake-ups, submission to dispatch`,
      values: [quantile(sample, 0.99)],
      unit: ' ms',
      goal: { atMost: 50 },
      figures: `p50 ${round(quantile(sample, 0.5))} ms, longest ${round(Math.max(...sample))} ms`,
    })];
  } finally {
    await server.stop();
  }
}

/** The same doorbell; `asleep` resolves once its pump has gone to sleep since the last time that it was asked. */
function observe(doorbell: Doorbell): { doorbell: Doorbell; asleep: () => Promise<void> } {
  let fellAsleep = Promise.withResolvers<void>();
  return {
    doorbell: {
      async takeWaitSlot() {
        const slot = await doorbell.takeWaitSlot();
        return {
          ...slot,
          wait(timeoutMs, signal) {
            fellAsleep.resolve();
            return slot.wait(timeoutMs, signal);
          },
        };
      },
    },
    async asleep() {
      await fellAsleep.promise;
      fellAsleep = Promise.withResolvers<void>();
    },
  };
}
