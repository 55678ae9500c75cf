import { createHash, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createScheduleStore } from '../../adapters/postgres/schedule-store.ts';
import { type ActivitiesDeps, createActivities } from '../../adapters/temporal/activities.ts';
import type { ProcessManager } from '../../domain/kernel/process.ts';
import { createOrderFulfilment } from '../../domain/order-fulfilment/order-fulfilment.ts';
import { createTestDatabase } from '../database.ts';
import { createProcessRunner } from '../processes.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, queryAs, submitAs, type TestTenant } from '../tenant.ts';

// What a guest may choose (ids of commands and orders, correlation ids, names of schedules), chosen to be in the system's way.

let db: ReturnType<typeof connect>;
let rose: TestTenant;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
beforeEach(async () => {
  rose = await createTenant(db.admin);
});
afterAll(() => db.end());

const asGuest = (commandId: string, order = placeOrder()) => submitAs(db.admin, claimsOf(rose, 'guest'), { ...order, commandId });
const cancelOrder = (aggregateId: string) => ({ type: 'CancelOrder', aggregateType: 'order', aggregateId, payload: {} }) as const;

/** As ids of a process's commands were derived until they could not be known beforehand. */
function formerProcessCommandId(key: string, step: number, index: number): string {
  const hex = createHash('sha256').update(JSON.stringify([rose.tenantId, 'order-fulfilment', key, step, index])).digest('hex');
  const variant = '89ab'.charAt(Number.parseInt(hex.slice(16, 18), 16) % 4);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}

/** As ids of a schedule's commands were derived. */
function formerOccasionId(scheduleId: string, occasion: Date): string {
  const seconds = `${String(occasion.getTime() / 1000)}.000000`;
  const hex = createHash('md5').update(`${rose.tenantId}/schedule/${scheduleId}/${seconds}`).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

async function seen(orderId: string) {
  const { rows } = await db.admin.query<{ status: string; process: string; reserved: string; spent: string }>(
    `select o.status, p.status as process, b.reserved, b.spent
     from intent.orders as o join intent.processes as p on p.tenant_id = o.tenant_id and p.key = o.order_id
     join intent.budgets as b on b.tenant_id = o.tenant_id
     where o.tenant_id = $1 and o.order_id = $2`,
    [rose.tenantId, orderId],
  );
  return { ...rows[0], reserved: Number(rows[0]?.reserved), spent: Number(rows[0]?.spent) };
}

describe('a guest who knows how ids of processes were derived', () => {
  const steps = [0, 1, 2, 3, 4, 5, 6, 7];

  it('keeps no order from its confirmation, and no budget from what it is to release', async () => {
    const { settle } = createProcessRunner(db, rose.tenantId);
    const order = placeOrder();
    for (const step of steps) {
      for (const index of [0, 1]) await asGuest(formerProcessCommandId(order.aggregateId, step, index));
    }
    await submitAs(db.admin, claimsOf(rose, 'owner'), openBudget('groceries', 1000));
    await submitAs(db.admin, claimsOf(rose, 'member'), order);
    await settle();
    expect(await seen(order.aggregateId)).toEqual({ status: 'confirmed', process: 'open', reserved: 0, spent: 700 });

    await submitAs(db.admin, claimsOf(rose, 'owner'), cancelOrder(order.aggregateId));
    await settle();
    expect(await seen(order.aggregateId)).toEqual({ status: 'cancelled', process: 'done', reserved: 0, spent: 0 });
  });

  it('has done no lasting harm where a process failed for it: it goes on when it is retried', async () => {
    // What the release before came to.
    const react = () => {
      throw new Error('this command id is in use for another command');
    };
    const before = createProcessRunner(db, rose.tenantId, { manager: { ...(createOrderFulfilment() as ProcessManager), react } });
    const order = placeOrder();
    await asGuest(formerProcessCommandId(order.aggregateId, 0, 0));
    await submitAs(db.admin, claimsOf(rose, 'owner'), openBudget('groceries', 1000));
    await submitAs(db.admin, claimsOf(rose, 'member'), order);
    await before.settle();
    expect(await seen(order.aggregateId)).toMatchObject({ process: 'failed' });
    await db.operator.query('select intent.retry_process($1, $2, $3)', [rose.tenantId, 'order-fulfilment', order.aggregateId]);
    await createProcessRunner(db, rose.tenantId).settle();
    expect(await seen(order.aggregateId)).toMatchObject({ status: 'confirmed', spent: 700 });
  });
});

describe("a schedule's occasion", () => {
  const occasion = new Date('2026-12-01T06:00:00Z');
  const schedule = () => ({ tenantId: rose.tenantId, scheduleId: 'monthly' });
  const store = () => createScheduleStore({ pool: db.worker });
  const send = () => store().submit(schedule(), occasion);
  const scheduleBudget = (name = 'Food') =>
    queryAs(db.admin, claimsOf(rose, 'owner'), `select api.schedule_command('monthly', '0 6 1 * *', 'OpenBudget', 'budget', 'food-{uuid}', $1)`, [
      JSON.stringify({ name, limit: 1 }),
    ]);
  async function sent() {
    const { rows } = await db.admin.query<{ command_id: string; aggregate_id: string; name: string }>(
      `select command_id, aggregate_id, payload ->> 'name' as name from intent.commands where tenant_id = $1 and type = 'OpenBudget'`,
      [rose.tenantId],
    );
    return rows;
  }
  const occasionId = async () =>
    (await db.admin.query<{ id: string }>(`select intent.occasion_id($1, 'monthly', $2) as id`, [rose.tenantId, occasion])).rows[0]!.id;

  it('is sent although a guest has taken the id that it had formerly', async () => {
    await scheduleBudget();
    await asGuest(formerOccasionId('monthly', occasion));
    await send();
    expect(await sent()).toHaveLength(1);
  });

  it('is sent once, also where the schedule was changed before it is repeated', async () => {
    await scheduleBudget();
    await send();
    await scheduleBudget('Other food');
    await send();
    expect(await sent()).toEqual([expect.objectContaining({ name: 'Food' })]);
  });

  it('that was sent by an earlier release is not sent again', async () => {
    await scheduleBudget();
    const commandId = formerOccasionId('monthly', occasion);
    const content = { type: 'OpenBudget', aggregateType: 'budget', aggregateId: `food-${commandId}`, payload: { name: 'Food', limit: 1 } };
    await submitAs(db.admin, claimsOf(rose, 'owner'), { ...content, commandId });
    await send();
    expect(await sent()).toEqual([expect.objectContaining({ command_id: commandId })]);
  });

  it.each([
    ['of another sender', 'guest', 1],
    ['with other content', 'owner', 2],
  ] as const)('is sent although a command %s has its former id', async (_whose, role, limit) => {
    await scheduleBudget();
    const commandId = formerOccasionId('monthly', occasion);
    const content = { type: 'OpenBudget', aggregateType: 'budget', aggregateId: `food-${commandId}`, payload: { name: 'Food', limit } };
    await submitAs(db.admin, claimsOf(rose, role), { ...content, commandId });
    await send();
    expect(await sent()).toHaveLength(2);
  });

  it('has an id that says nothing of the next one, and is different in each tenant and schedule', async () => {
    const other = await createTenant(db.admin);
    const ids = await db.admin.query<{ id: string }>(
      `select intent.occasion_id(tenant, name, moment) as id
       from unnest($1::uuid[]) as tenant, unnest(array['a', 'b']) as name, unnest(array[$2::timestamptz, $2::timestamptz + interval '1 month']) as moment`,
      [[rose.tenantId, other.tenantId], occasion],
    );
    expect(new Set(ids.rows.map(({ id }) => id)).size).toBe(8);
    for (const { id } of ids.rows) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const role of ['guest', 'owner'] as const) {
      await expect(queryAs(db.admin, claimsOf(rose, role), 'select * from intent.tenant_secrets')).rejects.toMatchObject({ code: '42501' });
      await expect(queryAs(db.admin, claimsOf(rose, role), `select intent.occasion_id($1, 'a', now())`, [rose.tenantId])).rejects.toMatchObject({ code: '42501' });
    }
  });

  it("whose id another sender's command has after all is a fault that is tried again, and sent when an administrator has mended it", async () => {
    await scheduleBudget();
    await asGuest(await occasionId());
    await expect(send()).rejects.toMatchObject({ code: 'IN409', hint: expect.stringContaining('intent.tenant_secrets') });
    // That activity needs no more of them.
    const { submitScheduledCommand } = createActivities({ schedules: store(), log: pino({ level: 'silent' }) } as unknown as ActivitiesDeps);
    // No ApplicationFailure that ends the retries.
    await expect(submitScheduledCommand(schedule(), occasion.toISOString())).rejects.not.toHaveProperty('nonRetryable');
    await db.admin.query('delete from intent.tenant_secrets where tenant_id = $1', [rose.tenantId]);
    await submitScheduledCommand(schedule(), occasion.toISOString());
    await submitScheduledCommand(schedule(), occasion.toISOString());
    expect(await sent()).toHaveLength(1);
  });
});

describe('an id that a member has taken', () => {
  const systemSends = (commandId: string, orderId: string) =>
    db.operator.query(`select intent.submit_system_command($1, $2, 'CancelOrder', 'order', $3, '{}', null, null) as answer`, [rose.tenantId, commandId, orderId]);

  it.each(['guest', 'member', 'owner'] as const)('is not taken for a command that an operator sends as the system, also with the same content: %s', async (role) => {
    const [commandId, orderId] = [randomUUID(), randomUUID()];
    await submitAs(db.admin, claimsOf(rose, role), { ...cancelOrder(orderId), commandId });
    await expect(systemSends(commandId, orderId)).rejects.toMatchObject({ code: 'IN409' });
  });

  it("nor is a command of the system's for a member's", async () => {
    const [commandId, orderId] = [randomUUID(), randomUUID()];
    await systemSends(commandId, orderId);
    for (const role of ['guest', 'member', 'owner'] as const) {
      await expect(submitAs(db.admin, claimsOf(rose, role), { ...cancelOrder(orderId), commandId })).rejects.toMatchObject({ code: 'IN409' });
    }
  });

  it('in another tenant is free in this one', async () => {
    const thorn = await createTenant(db.admin);
    const commandId = randomUUID();
    await submitAs(db.admin, claimsOf(thorn, 'guest'), { ...placeOrder(), commandId });
    expect(await asGuest(commandId)).toMatchObject({ status: 'pending', duplicate: false });
  });
});

describe('a guest who says that its command belongs to the request of another', () => {
  it("takes no step of that one's process, and gives it no cause", async () => {
    const { settle } = createProcessRunner(db, rose.tenantId);
    const order = placeOrder();
    await submitAs(db.admin, claimsOf(rose, 'owner'), openBudget('groceries', 1000));
    const { commandId: request } = await submitAs(db.admin, claimsOf(rose, 'member'), order);
    await queryAs(db.admin, claimsOf(rose, 'guest'), 'select api.submit_command($1, $2, $3, $4, $5, correlation_id => $6, causation_id => $6)', [
      randomUUID(), 'PlaceOrder', 'order', randomUUID(), JSON.stringify(placeOrder().payload), request,
    ]);
    await settle();
    expect(await seen(order.aggregateId)).toEqual({ status: 'confirmed', process: 'open', reserved: 0, spent: 700 });
    const { rows } = await db.operator.query<{ type: string; process_key: string }>(
      `select type, process_key from intent.command_trace($1) where what = 'command' and process_key is not null`,
      [request],
    );
    expect(rows.map(({ type }) => type).toSorted()).toEqual(['ConfirmOrder', 'ReserveBudget', 'SpendBudget']);
    for (const { process_key: key } of rows) expect(key).toBe(order.aggregateId);
  });
});
