import { EventEmitter, once } from 'node:events';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSubscriptionFeed, type SubscriptionFeedDeps } from '../adapters/postgres/subscription-feed.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { OutsideUnavailable } from '../ports/errors.ts';
import { append } from '../testing/appends.ts';
import { createTestDatabase } from '../testing/database.ts';
import { connect, createTenant } from '../testing/tenant.ts';
import { type HandleEvent, runSubscription } from './run-subscription.ts';

const log = pino({ level: 'silent' });
/** The pauses are of no interest here. */
const clock = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 10), signal) };

let db: ReturnType<typeof connect>;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
beforeEach(() => db.admin.query('truncate intent.checkpoints, intent.skipped_events'));
afterAll(() => db.end());

/** A tenant with a budget of so many events. */
async function tenantWith(eventCount: number): Promise<string> {
  const { tenantId } = await createTenant(db.admin);
  const opened = { type: 'BudgetOpened', payload: { name: 'Groceries', limit: 1 } };
  const changes = Array.from({ length: eventCount - 1 }, (_, n) => ({ type: 'BudgetLimitChanged', payload: { limit: n } }));
  await append(db.worker, tenantId, { aggregateType: 'budget', aggregateId: 'groceries', expectedVersion: 0, events: [opened, ...changes] });
  return tenantId;
}

const feed = (options: Partial<SubscriptionFeedDeps> = {}) => createSubscriptionFeed({ pool: db.worker, subscription: 'test', ...options });

/** Runs the subscription; of these tenants only, since all of the database take part. */
function subscribe(tenants: readonly string[], { handle = async () => {}, on = feed() }: { handle?: HandleEvent; on?: ReturnType<typeof feed> } = {}) {
  const stopping = new AbortController();
  const dealt = new EventEmitter();
  const seen: { tenantId: string; position: number; type: string }[] = [];
  const running = runSubscription(
    {
      feed: on,
      clock,
      log,
      maxTries: 2,
      async handle(event, context) {
        if (!tenants.includes(context.tenantId)) return;
        await handle(event, context);
        seen.push({ ...context, position: event.position, type: event.type });
        dealt.emit('event');
      },
    },
    stopping.signal,
  );
  return {
    seen,
    positions: (tenantId: string) => seen.filter((event) => event.tenantId === tenantId).map(({ position }) => position),
    async until(count: number): Promise<void> {
      const ended = running.then(() => Promise.reject(new Error('The subscription has ended.')));
      while (seen.length < count) await Promise.race([once(dealt, 'event'), ended]);
      ended.catch(() => {});
    },
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}

async function checkpointOf(tenantId: string): Promise<number> {
  const { rows } = await db.admin.query<{ position: number }>('select position::int from intent.checkpoints where tenant_id = $1', [tenantId]);
  return rows[0]?.position ?? 0;
}

async function skippedOf(tenantId: string) {
  const { rows } = await db.operator.query<{ position: number; error: unknown }>('select "position"::int, error from intent.skipped where tenant_id = $1', [tenantId]);
  return rows;
}

describe('a subscription', () => {
  it('is told of every event of every tenant, each tenant in commit order, and remembers how far it is', async () => {
    const tenants = await Promise.all([tenantWith(5), tenantWith(3)]);
    const first = subscribe(tenants, { on: feed({ maxEvents: 2 }) });
    await first.until(8);
    await first.stop();
    expect(tenants.map(first.positions)).toEqual([[1, 2, 3, 4, 5], [1, 2, 3]]);
    expect(first.seen.find(({ position }) => position === 1)).toMatchObject({ type: 'BudgetOpened' });

    const [tenantId] = tenants;
    await append(db.worker, tenantId, { aggregateType: 'budget', aggregateId: 'other', expectedVersion: 0, events: [{ type: 'BudgetOpened', payload: { name: 'Other', limit: 1 } }] });
    const later = subscribe(tenants);
    await later.until(1);
    await later.stop();
    expect(later.seen).toMatchObject([{ tenantId, position: 6 }]);
  });

  it('is told again of what it did before it died, as soon as the lease has ended', async () => {
    const tenantId = await tenantWith(3);
    const dead = feed({ leaseSeconds: 0.1 });
    let claim = await dead.claim();
    while (claim?.tenantId !== tenantId) claim = await dead.claim();
    const again = subscribe([tenantId]);
    await again.until(3);
    await again.stop();
    expect(again.positions(tenantId)).toEqual([1, 2, 3]);
    expect(await dead.acknowledge(claim, 1)).toBe(false);
    expect(await checkpointOf(tenantId)).toBe(3);
  });

  it('sets an event that it cannot deal with aside, with the reason, and goes on', async () => {
    const tenantId = await tenantWith(4);
    let tries = 0;
    const running = subscribe([tenantId], {
      async handle({ position }) {
        if (position === 2) throw new TypeError(`try ${(tries += 1)}`);
      },
    });
    await running.until(3);
    await running.stop();
    expect(running.positions(tenantId)).toEqual([1, 3, 4]);
    expect(await skippedOf(tenantId)).toEqual([{ position: 2, error: { name: 'TypeError', message: 'try 2' } }]);
  });

  it('waits for another side that is away, for as long as it takes, and sets nothing aside', async () => {
    const tenantId = await tenantWith(2);
    let away = 5;
    const running = subscribe([tenantId], {
      async handle() {
        if ((away -= 1) >= 0) throw new OutsideUnavailable('no answer');
      },
    });
    await running.until(2);
    await running.stop();
    expect(running.positions(tenantId)).toEqual([1, 2]);
    expect(await skippedOf(tenantId)).toEqual([]);
  });

  it('waits with a tenant for a newer release where it cannot read an event, and goes on with the others', async () => {
    const tenantId = await tenantWith(2);
    await append(db.worker, tenantId, { aggregateType: 'budget', aggregateId: 'groceries', expectedVersion: 2, events: [{ type: 'BudgetPainted', schemaVersion: 1, payload: {} }] });
    const other = await tenantWith(9);
    const running = subscribe([tenantId, other], { on: feed({ maxEvents: 3 }) });
    await running.until(11);
    await running.stop();
    expect({ positions: running.positions(tenantId), checkpoint: await checkpointOf(tenantId), skipped: await skippedOf(tenantId) }).toEqual({
      positions: [1, 2],
      checkpoint: 2,
      skipped: [],
    });
  });

  it('finishes the event in hand when it is to stop, and the next process goes on behind it', async () => {
    const tenantId = await tenantWith(3);
    const running = subscribe([tenantId], {
      async handle({ position }) {
        if (position === 2) void running.stop();
      },
    });
    await running.until(2);
    await running.stop();
    expect({ positions: running.positions(tenantId), checkpoint: await checkpointOf(tenantId) }).toEqual({ positions: [1, 2], checkpoint: 2 });
  });

  it('shares its work between processes: a tenant is with one at a time, in order, and no event is told twice', async () => {
    const tenants = await Promise.all(Array.from({ length: 6 }, () => tenantWith(4)));
    const inHand = new Set<string>();
    const told: string[] = [];
    const telling = new EventEmitter();
    const handle: HandleEvent = async ({ position }, { tenantId }) => {
      expect(inHand.has(tenantId)).toBe(false);
      inHand.add(tenantId);
      await systemClock.sleep(1);
      inHand.delete(tenantId);
      told.push(`${tenants.indexOf(tenantId)}:${position}`);
      telling.emit('told');
    };
    const processes = [1, 2].map(() => subscribe(tenants, { handle, on: feed({ maxEvents: 2 }) }));
    while (told.length < 24) await once(telling, 'told');
    await Promise.all(processes.map(({ stop }) => stop()));
    const expected = tenants.flatMap((_, n) => [1, 2, 3, 4].map((position) => `${n}:${position}`));
    expect(told.toSorted()).toEqual(expected);
    for (const n of tenants.keys()) expect(told.filter((one) => one.startsWith(`${n}:`))).toEqual(expected.slice(4 * n, 4 * n + 4));
    for (const tenantId of tenants) expect(await skippedOf(tenantId)).toEqual([]);
  });

  it('reads again from where an operator rewinds it to', async () => {
    const tenantId = await tenantWith(3);
    const running = subscribe([tenantId]);
    await running.until(3);
    await running.stop();
    await db.operator.query('select intent.rewind_subscription($1, $2, 1)', ['test', tenantId]);
    const again = subscribe([tenantId]);
    await again.until(2);
    await again.stop();
    expect(again.positions(tenantId)).toEqual([2, 3]);
  });
});
