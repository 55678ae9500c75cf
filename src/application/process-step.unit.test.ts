import { describe, expect, it } from 'vitest';
import type { Effect, ProcessManager, Reaction } from '../domain/kernel/process.ts';
import type { LoadedProcess } from '../ports/process-store.ts';
import { nextAdvance } from './process-step.ts';

const reference = { tenantId: '00000000-0000-4000-8000-000000000001', process: 'test', key: 'k' };
const now = '2026-01-01T00:00:00.123456Z';
const past = '2025-12-31T00:00:00.000Z';
const later = '2026-02-01T00:00:00.000Z';
const orderApproved = { type: 'OrderApproved', schemaVersion: 1, payload: {}, aggregateType: 'order', aggregateId: 'o' };
const cancel: Reaction = { kind: 'cancel' };
const release = { type: 'ReleaseBudget', payload: { orderId: 'o' } };
const send: Effect = { kind: 'send', aggregateId: 'groceries', command: release };
const call: Effect = { kind: 'call', name: 'ask', callId: 'c1', request: { a: 1 } };

/** Remembers what it was told; what each reaction has for effects is said by the test. */
function managerWith(effectsOf: (reaction: Reaction) => readonly Effect[], hasEnded = false): ProcessManager {
  return {
    name: 'test',
    stateVersion: 7,
    events: {},
    initialState: { told: [] },
    react: (state, reaction) => ({
      state: { told: [...(state as { told: string[] }).told, reaction.kind === 'timer' ? reaction.name : reaction.kind] },
      effects: effectsOf(reaction),
    }),
    hasEnded: () => hasEnded,
  };
}

function loaded(changes: Partial<LoadedProcess> = {}): LoadedProcess {
  const waiting = [{ sequence: 4, message: cancel }];
  return { state: { told: [] }, stateVersion: 7, step: 3, status: 'open', timers: {}, dueTimers: [], calls: [], traceparent: null, now, reactions: waiting, ...changes };
}

const onCancel = (...effects: readonly Effect[]) => managerWith(({ kind }) => (kind === 'cancel' ? effects : []));

describe('a step', () => {
  it('reacts to what waits, then to the timers that are due, and acknowledges it', async () => {
    const timers = { first: past, second: past, other: later };
    const next = await nextAdvance(onCancel(), reference, loaded({ timers, dueTimers: ['first', 'second'] }));
    const state = { told: ['cancel', 'first', 'second'] };
    expect(next).toMatchObject({ state, stateVersion: 7, status: 'open', timers: { other: later }, acknowledged: [4] });
  });

  it('sets a timer from the clock of the store on', async () => {
    const next = await nextAdvance(onCancel({ kind: 'set_timer', name: 't', afterSeconds: 90 }), reference, loaded());
    expect(next.timers).toEqual({ t: '2026-01-01T00:01:30.123Z' });
  });

  it.each<[string, Effect, Record<string, string>]>([
    ['cleared', { kind: 'clear_timer', name: 't' }, {}],
    ['set anew', { kind: 'set_timer', name: 't', afterSeconds: 60 }, { t: '2026-01-01T00:01:00.123Z' }],
  ])('does not hear a timer that is due, but was %s by what came before', async (_how, effect, timers) => {
    const next = await nextAdvance(onCancel(effect), reference, loaded({ timers: { t: past }, dueTimers: ['t'] }));
    expect(next).toMatchObject({ state: { told: ['cancel'] } });
    expect(next.timers).toEqual(timers);
  });

  it('gives a timer that has fired the chance to set itself again', async () => {
    const manager = managerWith(({ kind }) => (kind === 'timer' ? [{ kind: 'set_timer', name: 't', afterSeconds: 60 }] : []));
    const next = await nextAdvance(manager, reference, loaded({ reactions: [], timers: { t: past }, dueTimers: ['t'] }));
    expect(next.timers).toEqual({ t: '2026-01-01T00:01:00.123Z' });
  });

  it('makes a call, and none that is given up in the same step', async () => {
    expect(await nextAdvance(onCancel(call), reference, loaded())).toMatchObject({
      calls: [{ callId: 'c1', name: 'ask', request: { a: 1 } }],
      endedCalls: [],
    });
    const givenUp = await nextAdvance(onCancel(call, { kind: 'give_up_call', callId: 'c1' }), reference, loaded());
    expect(givenUp).toMatchObject({ calls: [], endedCalls: [] });
  });

  it('gives up a call that is open, and nothing where it has its answer', async () => {
    const manager = onCancel({ kind: 'give_up_call', callId: 'c1' });
    const open = loaded({ calls: [{ callId: 'c1', name: 'ask', request: {} }] });
    expect((await nextAdvance(manager, reference, open)).endedCalls).toEqual(['c1']);
    expect((await nextAdvance(manager, reference, loaded())).endedCalls).toEqual([]);
  });

  it('at the end: leaves no timer and no call', async () => {
    const manager = managerWith(() => [{ ...call, callId: 'c2' }, { kind: 'set_timer', name: 't', afterSeconds: 1 }], true);
    const open = loaded({ timers: { other: later }, calls: [{ callId: 'c1', name: 'ask', request: {} }] });
    expect(await nextAdvance(manager, reference, open)).toMatchObject({ status: 'done', timers: {}, calls: [], endedCalls: ['c1'] });
  });
});

describe('the commands of a step', () => {
  const ids = async (step: number, where = reference) =>
    (await nextAdvance(onCancel(send, send), where, loaded({ step }))).commands.map(({ commandId }) => commandId);

  it('have the same ids whenever it is taken again', async () => {
    expect(await ids(3)).toEqual(await ids(3));
  });

  it('have ids that no other command has', async () => {
    const all = [...(await ids(3)), ...(await ids(4)), ...(await ids(3, { ...reference, key: 'k2' }))];
    all.push(...(await ids(3, { ...reference, process: 'p2' })), ...(await ids(3, { ...reference, tenantId: 't2' })));
    expect(new Set(all).size).toBe(10);
    for (const id of all) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('name the aggregate, and the command that is behind them', async () => {
    const event = { ...orderApproved, metadata: { commandId: 'c-of-event' } };
    const outcome = { kind: 'outcome', commandId: 'c-of-outcome', type: 'Y', aggregateId: 'a', status: 'succeeded', outcome: {} };
    const reactions = [{ kind: 'event', event }, outcome, cancel].map((message, sequence) => ({ sequence, message }));
    const { commands } = await nextAdvance(managerWith(() => [send]), reference, loaded({ reactions }));
    expect(commands.map(({ causationId }) => causationId)).toEqual(['c-of-event', 'c-of-outcome', null]);
    expect(commands[0]).toMatchObject({ ...release, aggregateType: 'budget', aggregateId: 'groceries' });
  });

  it('are those of the domain, or the step fails', async () => {
    const unknown: Effect = { kind: 'send', aggregateId: 'a', command: { type: 'DoMagic', payload: {} } };
    await expect(nextAdvance(onCancel(unknown), reference, loaded())).rejects.toThrow('There is no command DoMagic.');
  });
});

it('reacts to no event of a newer release: it waits for a worker of that release', async () => {
  const message = { kind: 'event', event: { ...orderApproved, schemaVersion: 2, metadata: {} } };
  await expect(nextAdvance(onCancel(), reference, loaded({ reactions: [{ sequence: 1, message }] }))).rejects.toMatchObject({
    name: 'ReleaseOutdated',
  });
});
