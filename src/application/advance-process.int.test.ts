import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessManager } from '../domain/kernel/process.ts';
import type { Role } from '../domain/kernel/message.ts';
import { createOrderFulfilment } from '../domain/order-fulfilment/order-fulfilment.ts';
import type { OutsideCall, OutsideCalls } from '../ports/outside-calls.ts';
import { createTestDatabase } from '../testing/database.ts';
import { createProcessRunner, type ProcessRunnerOptions } from '../testing/processes.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, submitAs, type TestTenant } from '../testing/tenant.ts';

let db: ReturnType<typeof connect>;
let tenant: TestTenant;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
beforeEach(async () => {
  tenant = await createTenant(db.admin);
});
afterAll(() => db.end());

const submit = (role: Role, command: Parameters<typeof submitAs>[2]) => submitAs(db.admin, claimsOf(tenant, role), command);
const toOrder = (type: string, aggregateId: string) => ({ type, aggregateType: 'order', aggregateId, payload: {} });
const referenceTo = (key: string) => ({ tenantId: tenant.tenantId, process: 'order-fulfilment', key });

/** Of the example's read models: the order's status, and what its budget holds. */
async function seen(orderId: string) {
  const order = await db.admin.query<{ status: string }>('select status from intent.orders where tenant_id = $1 and order_id = $2', [tenant.tenantId, orderId]);
  const budget = await db.admin.query<{ reserved: string; spent: string }>('select reserved, spent from intent.budgets where tenant_id = $1', [tenant.tenantId]);
  const { reserved = 0, spent = 0 } = budget.rows[0] ?? {};
  return { status: order.rows[0]?.status, reserved: Number(reserved), spent: Number(spent) };
}

async function instance(key: string) {
  const { rows } = await db.admin.query('select status, error from intent.processes where tenant_id = $1 and key = $2', [tenant.tenantId, key]);
  return rows[0] as { status: string; error: unknown } | undefined;
}

async function placed(by: Role, options: ProcessRunnerOptions & { readonly limit?: number } = {}) {
  const { limit = 1000, ...runnerOptions } = options;
  const runner = createProcessRunner(db, tenant.tenantId, runnerOptions);
  const order = placeOrder();
  if (limit > 0) await submit('owner', openBudget('groceries', limit));
  const { commandId } = await submit(by, order);
  await runner.settle();
  return { ...runner, orderId: order.aggregateId, commandId };
}

const refuses: OutsideCalls = { call: async () => ({ ok: false, error: { code: 'REFUSED', message: 'sold out' } }) };

describe('order-fulfilment on PostgreSQL', () => {
  it('takes an order from its placing to its delivery', async () => {
    const calls: OutsideCall[] = [];
    const outside = { call: async (call: OutsideCall) => ({ ok: true, value: calls.push(call) }) as const };
    const { orderId, settle } = await placed('member', { outside });
    expect(await seen(orderId)).toEqual({ status: 'confirmed', reserved: 0, spent: 700 });
    expect(await instance(orderId)).toMatchObject({ status: 'open' });
    expect(calls).toEqual([
      { tenantId: tenant.tenantId, name: 'place-with-supplier', idempotencyKey: orderId, request: { orderId, total: 700, lines: placeOrder().payload.lines } },
    ]);
    await submit('member', toOrder('RecordDelivery', orderId));
    await settle();
    expect(await seen(orderId)).toEqual({ status: 'delivered', reserved: 0, spent: 700 });
    expect(await instance(orderId)).toMatchObject({ status: 'done' });
  });

  it.each<[string, Role, Parameters<typeof placed>[1], string]>([
    ['the budget is exceeded', 'member', { limit: 699 }, 'budget exceeded'],
    ['the budget is not open', 'member', { limit: 0 }, 'budget not open'],
    ['the supplier refuses', 'member', { outside: refuses }, 'supplier refused'],
    ['the approval expires', 'guest', { manager: createOrderFulfilment({ approvalSeconds: 0 }) }, 'approval expired'],
  ])('rejects the order where %s', async (_why, by, options, reason) => {
    const { orderId } = await placed(by, options);
    expect(await seen(orderId)).toEqual({ status: 'rejected', reserved: 0, spent: 0 });
    const { rows } = await db.admin.query(`select payload from intent.events where tenant_id = $1 and type = 'OrderRejected'`, [tenant.tenantId]);
    expect(rows).toEqual([{ payload: { reason } }]);
    expect(await instance(orderId)).toMatchObject({ status: 'done' });
  });

  it('waits for an approval, and goes on with it', async () => {
    const { orderId, settle } = await placed('guest');
    expect(await seen(orderId)).toMatchObject({ status: 'awaiting_approval', reserved: 0 });
    await submit('owner', toOrder('ApproveOrder', orderId));
    await settle();
    expect(await seen(orderId)).toEqual({ status: 'confirmed', reserved: 0, spent: 700 });
  });

  it('releases the money of an order that is cancelled after the process has ended', async () => {
    const { orderId, settle } = await placed('member', { manager: createOrderFulfilment({ deliverySeconds: 0 }) });
    expect(await instance(orderId)).toMatchObject({ status: 'done' });
    await submit('owner', toOrder('CancelOrder', orderId));
    await settle();
    expect(await seen(orderId)).toEqual({ status: 'cancelled', reserved: 0, spent: 0 });
  });

  it('rejects the order where an operator cancels the process', async () => {
    const { orderId, settle, store } = await placed('guest');
    await store.cancel(referenceTo(orderId));
    await settle();
    expect(await seen(orderId)).toMatchObject({ status: 'rejected' });
    expect(await instance(orderId)).toMatchObject({ status: 'done' });
  });

  it('sends its commands as the system, with the correlation of the request and the command behind each, also by way of a call', async () => {
    const { commandId } = await placed('member');
    const rows = await sent();
    const [reserve] = rows;
    expect(rows.map(({ type, causation_id }) => [type, causation_id])).toEqual([
      ['ReserveBudget', commandId],
      ['SpendBudget', reserve!.command_id],
      ['ConfirmOrder', reserve!.command_id],
    ]);
    for (const row of rows) expect(row).toMatchObject({ actor_role: 'system', correlation_id: commandId });
  });

  it.each<[string, Role, Parameters<typeof placed>[1], readonly string[]]>([
    ['a refused call', 'member', { outside: refuses }, ['ReserveBudget', 'RejectOrder', 'ReleaseBudget']],
    ['a timer', 'guest', { manager: createOrderFulfilment({ approvalSeconds: 0 }) }, ['RejectOrder']],
  ])('has a command behind each of those that follow %s', async (_what, by, options, types) => {
    const { commandId } = await placed(by, options);
    const rows = await sent();
    expect(rows.map(({ type }) => type).toSorted()).toEqual(types.toSorted());
    for (const { type, causation_id } of rows) {
      const isBehindAll = types.length === 1 || type === 'ReserveBudget';
      expect(causation_id).toBe(isBehindAll ? commandId : rows.find((row) => row.type === 'ReserveBudget')!.command_id);
    }
  });

  it('keeps the commands of a request with it, also where another one has had the process go on meanwhile', async () => {
    const { commandId, orderId, settle } = await placed('guest');
    const { commandId: approval } = await submit('owner', toOrder('ApproveOrder', orderId));
    await settle();
    const { commandId: delivery } = await submit('member', toOrder('RecordDelivery', orderId));
    await settle();
    expect(new Set((await sent()).map(({ correlation_id }) => correlation_id))).toEqual(new Set([approval]));
    expect(await traceOf(commandId)).toEqual([
      'command PlaceOrder',
      'event OrderPlaced < command PlaceOrder',
      'timer approval < event OrderPlaced',
      ]);
    expect((await traceOf(delivery)).slice(0, 2)).toEqual(['command RecordDelivery', 'event OrderDelivered < command RecordDelivery']);
  });
});

interface SentCommand {
  readonly command_id: string;
  readonly type: string;
  readonly actor_role: string;
  readonly correlation_id: string;
  readonly causation_id: string | null;
}
async function sent(): Promise<SentCommand[]> {
  const { rows } = await db.admin.query<SentCommand>(
    `select command_id, type, actor_role, correlation_id, causation_id from intent.commands
     where tenant_id = $1 and process is not null order by submitted_at`,
    [tenant.tenantId],
  );
  return rows;
}

/** A request as an operator sees it: each row with the row that came directly before. */
async function traceOf(correlationId: string): Promise<string[]> {
  const { rows } = await db.operator.query<{ id: string; what: string; type: string | null; status: string; cause: string | null }>(
    'select id, what, type, status, cause from intent.command_trace($1)',
    [correlationId],
  );
  const inWords = ({ what, type, status }: (typeof rows)[number]) => [what, type, ...(status === 'fired' ? [status] : [])].filter((word) => word !== null).join(' ');
  return rows.map((row) => {
    const before = rows.find(({ id }) => id === row.cause);
    return row.cause === null ? inWords(row) : `${inWords(row)} < ${before === undefined ? row.cause : inWords(before)}`;
  });
}

describe('the trace of a request', () => {
  it('is whole from the first command to the last event, by way of the call and its answer', async () => {
    const { commandId } = await placed('member');
    const trace = await traceOf(commandId);
    expect(trace.toSorted()).toEqual(
      [
        'command PlaceOrder',
        'event OrderPlaced < command PlaceOrder',
        'command ReserveBudget < event OrderPlaced',
        'event BudgetReserved < command ReserveBudget',
        'call place-with-supplier < event BudgetReserved',
        'answer place-with-supplier < call place-with-supplier',
        'command SpendBudget < answer place-with-supplier',
        'command ConfirmOrder < answer place-with-supplier',
        'event BudgetSpent < command SpendBudget',
        'event OrderConfirmed < command ConfirmOrder',
        'timer delivery < command ConfirmOrder',
      ].toSorted(),
    );
    expect(trace.indexOf('call place-with-supplier < event BudgetReserved')).toBeLessThan(trace.indexOf('answer place-with-supplier < call place-with-supplier'));
  });

  it('shows a timer that was set, that it fired, and what followed', async () => {
    const { commandId } = await placed('guest', { manager: createOrderFulfilment({ approvalSeconds: 0 }) });
    expect((await traceOf(commandId)).slice(2)).toEqual([
      'timer approval < event OrderPlaced',
      'timer approval fired < timer approval',
      'command RejectOrder < timer approval fired',
      'event OrderRejected < command RejectOrder',
    ]);
  });

  it("shows an operator's cancellation and what followed", async () => {
    const { commandId, orderId, settle } = await placed('guest');
    await db.operator.query('select intent.cancel_process($1, $2, $3, $4)', [tenant.tenantId, 'order-fulfilment', orderId, 'asked for by phone']);
    await settle();
    expect((await traceOf(commandId)).slice(3)).toEqual([
      'cancellation',
      'timer approval < cancellation',
      'command RejectOrder < cancellation',
      'event OrderRejected < command RejectOrder',
    ]);
  });
});

/** Reacts to placed orders by what it is given. */
function managerThat(react: ProcessManager['react'], others: Partial<ProcessManager> = {}): ProcessManager {
  return {
    name: 'order-fulfilment',
    stateVersion: 1,
    events: { OrderPlaced: 'aggregateId' },
    initialState: { seen: 0 },
    react,
    hasEnded: () => false,
    ...others,
  };
}

describe('an instance', () => {
  it('is set aside where its process manager throws, others go on, and after the fix it goes on as well', async () => {
    let isBroken = true;
    const broken = placeOrder();
    const sound = createOrderFulfilment();
    const manager: ProcessManager = {
      ...(sound as ProcessManager),
      react(state, reaction, context) {
        if (isBroken && context.key === broken.aggregateId) throw new TypeError('lines is not iterable');
        return (sound as ProcessManager).react(state, reaction, context);
      },
    };
    const { settle } = createProcessRunner(db, tenant.tenantId, { manager });
    const other = placeOrder();
    await submit('owner', openBudget('groceries', 2000));
    await submit('member', broken);
    await submit('member', other);
    await settle();
    expect(await instance(broken.aggregateId)).toEqual({ status: 'failed', error: { name: 'TypeError', message: 'lines is not iterable' } });
    expect(await seen(other.aggregateId)).toMatchObject({ status: 'confirmed' });

    isBroken = false;
    await db.operator.query('select intent.retry_process($1, $2, $3)', [tenant.tenantId, 'order-fulfilment', broken.aggregateId]);
    await settle();
    expect(await seen(broken.aggregateId)).toMatchObject({ status: 'confirmed', spent: 1400 });
  });

  it('takes each step once, where many advance it at the same time', async () => {
    const { store } = createProcessRunner(db, tenant.tenantId);
    const counting = managerThat((state) => ({ state: { seen: (state as { seen: number }).seen + 1 }, effects: [] }));
    const { advance } = createProcessRunner(db, tenant.tenantId, { manager: counting });
    const { orderId } = await placed('member', { manager: managerThat((state) => ({ state, effects: [] })) });
    for (let n = 0; n < 3; n += 1) await store.cancel(referenceTo(orderId));
    const progress = await Promise.all(Array.from({ length: 4 }, () => advance(referenceTo(orderId))));
    expect(progress).toEqual(Array.from({ length: 4 }, () => ({ status: 'open', nextTimerInMs: null, calls: [], more: false })));
    expect(await store.load(referenceTo(orderId))).toMatchObject({ state: { seen: 3 }, step: 2, reactions: [] });
  });

  it('of an older release goes on from the state that `upcast` makes of its own', async () => {
    const { orderId, store } = await placed('member', { manager: managerThat((state) => ({ state, effects: [] })) });
    await store.cancel(referenceTo(orderId));
    const newer = managerThat((state) => ({ state, effects: [] }), {
      stateVersion: 2,
      upcast: (state, fromVersion) => ({ ...(state as object), from: fromVersion }),
    });
    await createProcessRunner(db, tenant.tenantId, { manager: newer }).advance(referenceTo(orderId));
    expect(await store.load(referenceTo(orderId))).toMatchObject({ state: { seen: 0, from: 1 }, stateVersion: 2 });
  });

  it('of an older release is set aside where there is no `upcast`', async () => {
    const { orderId, store } = await placed('member', { manager: managerThat((state) => ({ state, effects: [] })) });
    await store.cancel(referenceTo(orderId));
    const newer = managerThat((state) => ({ state, effects: [] }), { stateVersion: 2 });
    expect(await createProcessRunner(db, tenant.tenantId, { manager: newer }).advance(referenceTo(orderId))).toMatchObject({ status: 'failed' });
    expect(await instance(orderId)).toMatchObject({ error: { message: expect.stringContaining('no `upcast`') } });
  });

  it('of a newer release waits for a worker of that release', async () => {
    const newer = managerThat((state) => ({ state, effects: [] }), { stateVersion: 2 });
    const { orderId, store } = await placed('member', { manager: newer });
    await store.cancel(referenceTo(orderId));
    const older = managerThat((state) => ({ state, effects: [] }));
    await expect(createProcessRunner(db, tenant.tenantId, { manager: older }).advance(referenceTo(orderId))).rejects.toMatchObject({ name: 'ReleaseOutdated' });
    expect(await instance(orderId)).toMatchObject({ status: 'open' });
  });

  it('that sends a command which cannot be submitted is set aside, and nothing of its step is kept', async () => {
    const command = { type: 'RejectOrder', payload: { reason: 'x' } };
    const { orderId, store } = await placed('member', {
      manager: managerThat((state) => ({ state, effects: [{ kind: 'send', aggregateId: 'not a uuid', command }] })),
    });
    expect(await instance(orderId)).toMatchObject({ status: 'failed' });
    expect(await store.load(referenceTo(orderId))).toMatchObject({ step: 0, reactions: [{ message: { kind: 'event' } }] });
  });

  it('that is not there has nothing to do', async () => {
    const { advance } = createProcessRunner(db, tenant.tenantId);
    expect(await advance(referenceTo(randomUUID()))).toEqual({ status: 'done', nextTimerInMs: null, calls: [], more: false });
  });
});
