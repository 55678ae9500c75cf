import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FailPoint } from '../../../chaos/stack/fail-points.ts';
import { startSupplier, type RunningSupplier } from '../../../examples/supplier/supplier.ts';
import type { Role } from '../../domain/kernel/message.ts';
import { projectRoot } from '../../local/paths.ts';
import { type ProcessExit, type RunningProcess, startProcess } from '../../local/process/start-process.ts';
import { clusterVariables } from '../../testing/cluster/cluster-variables.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { type PartOfEngine, startTestPump } from '../../testing/fulfilment-engine.ts';
import { needs } from '../../testing/needs.ts';
import { createScratchDirectory } from '../../testing/scratch-directory.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, submitAs, type TestTenant } from '../../testing/tenant.ts';
import { startTestTemporal } from '../../testing/temporal.ts';

interface Death {
  readonly when: string;
  readonly point: FailPoint;
  /** In what is stored at this point. */
  readonly about?: string;
  /** How often the supplier is asked, at least. */
  readonly requests?: number;
}

/** Between every two side effects of an order's process manager, in their order. */
const deaths: readonly Death[] = [
  { when: 'has heard of the order', point: 'before-react' },
  { when: 'has sent the first command, and its workflow does not know', point: 'after-advance', about: 'ReserveBudget' },
  { when: 'has stored that it will call the supplier, and its workflow does not know', point: 'after-advance', about: 'place-with-supplier' },
  { when: 'is about to call the supplier', point: 'before-call' },
  { when: 'has the answer of the supplier in hand', point: 'before-answer', requests: 2 },
  { when: 'has stored the answer of the supplier, and its workflow does not know', point: 'after-answer' },
  { when: 'has sent what the answer comes to, and its workflow does not know', point: 'after-advance', about: 'SpendBudget' },
  { when: 'has stored a timer, and its workflow does not know', point: 'after-advance', about: 'delivery' },
];

const reachedWithinMs = 20_000;
const temporal = await startTestTemporal();

describe('a process manager whose worker is killed', needs(temporal, 'there is no Temporal'), () => {
  let database: TestDatabase;
  let db: ReturnType<typeof connect>;
  let tenant: TestTenant;
  let supplier: RunningSupplier;
  let pump: PartOfEngine;
  let worker: RunningProcess;
  let scratch: Awaited<ReturnType<typeof createScratchDirectory>>;
  const killed = new Map<Death, { readonly orderId: string; readonly exit: ProcessExit }>();

  // One death after the other, without a pause: what an earlier one has left lying is taken up, or left once more, by the next worker.
  beforeAll(async () => {
    scratch = await createScratchDirectory();
    database = await createTestDatabase();
    db = connect(database);
    tenant = await createTenant(db.admin);
    supplier = await startSupplier({ port: 0 });
    pump = await startTestPump({ temporal: temporal!, database, db });
    await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('groceries', 1_000_000));
    for (const death of deaths) {
      const orderId = await place('member');
      const dying = await startWorker(dieAt(death, orderId));
      // One that does not come so far would live for ever.
      const deadline = setTimeout(() => void dying.stop(), reachedWithinMs);
      killed.set(death, { orderId, exit: await dying.exited });
      clearTimeout(deadline);
    }
    worker = await startWorker();
  });
  afterAll(async () => {
    await worker.stop();
    await pump.stop();
    await supplier.stop();
    await temporal!.stop();
    await db.end();
    scratch.remove();
  });

  async function place(role: Role): Promise<string> {
    const order = placeOrder();
    await submitAs(db.admin, claimsOf(tenant, role), order);
    return order.aggregateId;
  }

  function dieAt({ point, about }: Death, orderId: string): string {
    const module = new URL('../../../chaos/stack/die-at.ts', import.meta.url);
    module.searchParams.set('point', point);
    for (const text of [orderId, about]) if (text !== undefined) module.searchParams.append('about', text);
    return module.href;
  }

  function startWorker(...preload: readonly string[]): Promise<RunningProcess> {
    return startProcess({
      name: 'worker',
      home: scratch.path,
      command: process.execPath,
      args: [...preload.flatMap((module) => ['--import', module]), join(projectRoot, 'src', 'testing', 'fulfilment-worker.ts')],
      cwd: projectRoot,
      env: {
        ...clusterVariables(), PATH: process.env['PATH'], DATABASE_URL: database.urlFor('intent_worker'), SUPPLIER_URL: supplier.url, TEMPORAL_ADDRESS: temporal!.address,
      },
      // It may be dead before it is ready.
      ready: async () => {},
      readyTimeoutMs: 1_000,
      stopTimeoutMs: 1_000,
    });
  }

  async function secondsToTimer(key: string): Promise<number | undefined> {
    const { rows } = await db.admin.query<{ seconds: number }>(
      `select extract(epoch from (timers ->> 'approval')::timestamptz - clock_timestamp())::float8 as seconds from intent.processes where key = $1`,
      [key],
    );
    return rows[0]?.seconds;
  }

  /** Of an order, its process manager and its budget; everything that was done is in it, and as often as it was done. */
  async function endOf(orderId: string) {
    const { rows } = await db.admin.query<{ process: string; waiting: number; commands: string[]; events: string[] }>(
      `select p.status as process,
         (select count(*)::int from intent.reactions as r where r.key = p.key) as waiting,
         (select array_agg(type || ' ' || status order by type) from intent.commands where $1 in (aggregate_id, payload ->> 'orderId')) as commands,
         (select array_agg(concat_ws(' ', type, payload ->> 'reason') order by type)
          from intent.events where $1 in (aggregate_id, payload ->> 'orderId')) as events
       from intent.processes as p where p.key = $1`,
      [orderId],
    );
    return rows[0];
  }
  const expectEnd = (orderId: string, expected: object) =>
    expect.poll(() => endOf(orderId), { timeout: 25_000 }).toEqual({ process: 'done', waiting: 0, ...expected });

  it.each(deaths)('comes to the same end where it is killed as it $when', { timeout: 40_000 }, async (death) => {
    const { orderId, exit } = killed.get(death)!;
    expect(exit).toMatchObject({ signal: 'SIGKILL', expected: false });
    await expectEnd(orderId, {
      commands: ['ConfirmOrder succeeded', 'PlaceOrder succeeded', 'ReserveBudget succeeded', 'SpendBudget succeeded'],
      events: ['BudgetReserved', 'BudgetSpent', 'OrderConfirmed', 'OrderPlaced'],
    });
    const book = (await (await fetch(`${supplier.url}/orders`)).json()) as { orderId: string; requests: number }[];
    // One entry an idempotency key.
    const entries = book.filter((entry) => entry.orderId === orderId);
    expect(entries).toHaveLength(1);
    expect(entries[0]!.requests).toBeGreaterThanOrEqual(death.requests ?? 1);
  });

  it('keeps its time where it is killed while a timer runs', { timeout: 60_000 }, async () => {
    const orderId = await place('guest');
    await expect.poll(() => secondsToTimer(orderId), { timeout: 20_000 }).toBeGreaterThan(0);
    process.kill(worker.pid, 'SIGKILL');
    await worker.exited;
    expect(await secondsToTimer(orderId)).toBeGreaterThan(0);
    worker = await startWorker();
    await expectEnd(orderId, {
      commands: ['PlaceOrder succeeded', 'RejectOrder succeeded'],
      events: ['OrderPlaced', 'OrderRejected approval expired'],
    });
  });
});
