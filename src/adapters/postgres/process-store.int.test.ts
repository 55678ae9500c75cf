import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessAdvance, ProcessReference, ProcessStore } from '../../ports/process-store.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { queueReaction } from '../../testing/processes.ts';
import { connect, createTenant } from '../../testing/tenant.ts';
import { createProcessStore } from './process-store.ts';

let db: ReturnType<typeof connect>;
let store: ProcessStore;
let instance: ProcessReference;
beforeAll(async () => {
  db = connect(await createTestDatabase());
  store = createProcessStore({ pool: db.worker });
});
beforeEach(async () => {
  const { tenantId } = await createTenant(db.admin);
  instance = { tenantId, process: 'order-fulfilment', key: await queueReaction(db, tenantId) };
});
afterAll(() => db.end());

const nothing: ProcessAdvance = {
  state: { phase: 'x' },
  stateVersion: 1,
  status: 'open',
  timers: {},
  timerCauses: {},
  commands: [],
  calls: [],
  endedCalls: [],
  acknowledged: [],
  trace: [],
};
const causationId = randomUUID();
const call = { callId: 'call-1', name: 'place-with-supplier', request: { total: 700 }, causationId };
const answer = { ok: true, value: { reference: 'S-1' } } as const;
const rejectOrder = () => ({
  commandId: randomUUID(),
  type: 'RejectOrder',
  schemaVersion: 1,
  aggregateType: 'order',
  aggregateId: instance.key,
  payload: { reason: 'x' },
  causationId: null,
  cause: 'position 1',
});
async function commandIds(): Promise<string[]> {
  const { rows } = await db.admin.query<{ command_id: string }>('select command_id from intent.commands where tenant_id = $1', [instance.tenantId]);
  return rows.map((row) => row.command_id);
}

describe('the store of process managers', () => {
  it('loads a new instance with the event that began it, as the contract shows events', async () => {
    const loaded = await store.load(instance);
    expect(loaded).toMatchObject({ state: null, stateVersion: null, step: 0, status: 'open', timers: {}, dueTimers: [], calls: [] });
    const event = { type: 'OrderApproved', aggregateType: 'order', aggregateId: instance.key, version: 1, position: 1, payload: {} };
    expect(loaded?.reactions).toMatchObject([{ sequence: 1, message: { kind: 'event', event } }]);
  });

  it('knows no instance that nothing has been queued for', async () => {
    expect(await store.load({ ...instance, key: randomUUID() })).toBeNull();
  });

  it('keeps what a step comes to: state, timers, calls, and what it has dealt with', async () => {
    const timers = { early: '2026-01-01T00:00:00.000Z', late: '2999-01-01T00:00:00.000Z' };
    const timerCauses = { early: causationId, late: null };
    const advanced = await store.advance(instance, 0, { ...nothing, timers, timerCauses, calls: [call], acknowledged: [1] });
    expect(advanced).toEqual({ step: 1, more: false, nextTimerInMs: 0, calls: [{ callId: 'call-1', name: 'place-with-supplier' }] });
    const loaded = await store.load(instance);
    expect(loaded).toMatchObject({ state: { phase: 'x' }, stateVersion: 1, step: 1, timers, timerCauses, dueTimers: ['early'], reactions: [] });
    expect(loaded?.calls).toEqual([{ callId: call.callId, name: call.name, request: call.request }]);
  });

  it('says how long to wait for the next timer, by its own clock', async () => {
    const { now } = (await store.load(instance))!;
    const later = { timer: new Date(Date.parse(now) + 60_000).toISOString() };
    const { nextTimerInMs } = (await store.advance(instance, 0, { ...nothing, timers: later })) as { nextTimerInMs: number };
    expect(nextTimerInMs).toBeLessThanOrEqual(60_000);
    expect(nextTimerInMs).toBeGreaterThan(30_000);
    expect(await store.advance(instance, 1, nothing)).toMatchObject({ nextTimerInMs: null });
  });

  it('says that reactions wait', async () => {
    expect(await store.advance(instance, 0, nothing)).toMatchObject({ more: true });
  });

  it('takes a step once: for whoever comes later it has moved on, and nothing of theirs is kept', async () => {
    const mine = rejectOrder();
    expect(await store.advance(instance, 0, { ...nothing, commands: [mine] })).toMatchObject({ step: 1 });
    expect(await store.advance(instance, 0, { ...nothing, commands: [rejectOrder()], acknowledged: [1] })).toBe('moved_on');
    expect(await commandIds()).toEqual([mine.commandId]);
    expect((await store.load(instance))?.reactions).toHaveLength(1);
  });

  it('keeps nothing of a step that sends a command which may not be', async () => {
    const malformed = { ...rejectOrder(), aggregateId: 'not a uuid' };
    const step = store.advance(instance, 0, { ...nothing, commands: [rejectOrder(), malformed], acknowledged: [1] });
    await expect(step).rejects.toMatchObject({ code: 'IN422' });
    expect(await commandIds()).toEqual([]);
    expect(await store.load(instance)).toMatchObject({ step: 0, reactions: [{ sequence: 1 }] });
  });

  it('tells an instance the outcome of its command', async () => {
    const { commandId, type, aggregateId } = rejectOrder();
    await store.advance(instance, 0, { ...nothing, commands: [{ ...rejectOrder(), commandId }], acknowledged: [1] });
    await db.worker.query('select intent.reject_command($1, $2, $3, $4, $5)', [instance.tenantId, commandId, 'ORDER_NOT_FOUND', 'No.', '{}']);
    const { reactions } = (await store.load(instance))!;
    const outcome = { code: 'ORDER_NOT_FOUND', message: 'No.' };
    expect(reactions).toMatchObject([{ message: { kind: 'outcome', commandId, type, aggregateId, status: 'rejected', outcome } }]);
  });

  it('takes the answer to a call once', async () => {
    await store.advance(instance, 0, { ...nothing, calls: [call], acknowledged: [1] });
    expect(await store.loadCall(instance, 'call-1')).toEqual({ name: call.name, request: call.request, traceparent: null });
    const taken = await Promise.all([1, 2, 3].map(() => store.answerCall(instance, 'call-1', answer)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await store.loadCall(instance, 'call-1')).toBeNull();
    expect((await store.load(instance))?.reactions.map(({ message }) => message)).toEqual([
      { kind: 'answer', callId: 'call-1', name: call.name, answer, causationId },
    ]);
  });

  it('takes no answer to a call that was given up', async () => {
    await store.advance(instance, 0, { ...nothing, calls: [call], acknowledged: [1] });
    expect(await store.advance(instance, 1, { ...nothing, endedCalls: ['call-1'] })).toMatchObject({ calls: [] });
    expect(await store.answerCall(instance, 'call-1', answer)).toBe(false);
    expect((await store.load(instance))?.reactions).toEqual([]);
  });

  it('sets an instance aside with the reason, and keeps what is queued for it', async () => {
    await store.fail(instance, { name: 'TypeError', message: 'why' });
    await store.cancel(instance);
    expect(await store.load(instance)).toMatchObject({ status: 'failed', reactions: [{ sequence: 1 }, { sequence: 2, message: { kind: 'cancel' } }] });
    const { rows } = await db.admin.query('select error, wake_at from intent.processes where tenant_id = $1', [instance.tenantId]);
    expect(rows).toEqual([{ error: { name: 'TypeError', message: 'why' }, wake_at: null }]);
  });

  it('shows no tenant the instance of another', async () => {
    const other = await createTenant(db.admin);
    expect(await store.load({ ...instance, tenantId: other.tenantId })).toBeNull();
  });
});
