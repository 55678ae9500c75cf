import { describe, expect, it } from 'vitest';
import type { Effect, ProcessManager, Reaction } from '../domain/kernel/process.ts';
import type { LoadedProcess } from '../ports/process-store.ts';
import { nextAdvance } from './process-step.ts';

const reference = { tenantId: '00000000-0000-4000-8000-000000000001', process: 'test', key: 'k' };
const now = '2026-01-01T00:00:00.123456Z';
const past = '2025-12-31T00:00:00.000Z';
const later = '2026-02-01T00:00:00.000Z';
const orderApproved = { type: 'OrderApproved', schemaVersion: 1, payload: {}, aggregateType: 'order', aggregateId: 'o', position: 9 };
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
  return { state: { told: [] }, stateVersion: 7, step: 3, status: 'open', timers: {}, timerCauses: {}, dueTimers: [], calls: [], traceparent: null, now, reactions: waiting, ...changes };
}

const onCancel = (...effects: readonly Effect[]) => managerWith(({ kind }) => (kind === 'cancel' ? effects : []));

describe('a step', () => {
  it('reacts to what waits, then to the timers that are due, and acknowledges it', () => {
    const timers = { first: past, second: past, other: later };
    const next = nextAdvance(onCancel(), reference, loaded({ timers, dueTimers: ['first', 'second'] }));
    const state = { told: ['cancel', 'first', 'second'] };
    expect(next).toMatchObject({ state, stateVersion: 7, status: 'open', timers: { other: later }, acknowledged: [4] });
  });

  it('leaves reactions and timers to the next step, if it has kept the thread for long', () => {
    const slow = managerWith(() => {
      for (const until = performance.now() + 60; performance.now() < until; );
      return [];
    });
    const reactions = [4, 5, 6].map((sequence) => ({ sequence, message: cancel }));
    const next = nextAdvance(slow, reference, loaded({ reactions, timers: { first: past }, dueTimers: ['first'] }));
    expect(next).toMatchObject({ timers: { first: past }, acknowledged: [4, 5] });
  });

  it('sets a timer from the clock of the store on', () => {
    const next = nextAdvance(onCancel({ kind: 'set_timer', name: 't', afterSeconds: 90 }), reference, loaded());
    expect(next.timers).toEqual({ t: '2026-01-01T00:01:30.123Z' });
  });

  it.each<[string, Effect, Record<string, string>]>([
    ['cleared', { kind: 'clear_timer', name: 't' }, {}],
    ['set anew', { kind: 'set_timer', name: 't', afterSeconds: 60 }, { t: '2026-01-01T00:01:00.123Z' }],
  ])('does not hear a timer that is due, but was %s by what came before', (_how, effect, timers) => {
    const next = nextAdvance(onCancel(effect), reference, loaded({ timers: { t: past }, dueTimers: ['t'] }));
    expect(next).toMatchObject({ state: { told: ['cancel'] } });
    expect(next.timers).toEqual(timers);
  });

  it('gives a timer that has fired the chance to set itself again', () => {
    const manager = managerWith(({ kind }) => (kind === 'timer' ? [{ kind: 'set_timer', name: 't', afterSeconds: 60 }] : []));
    const next = nextAdvance(manager, reference, loaded({ reactions: [], timers: { t: past }, dueTimers: ['t'] }));
    expect(next.timers).toEqual({ t: '2026-01-01T00:01:00.123Z' });
  });

  it('makes a call, and none that is given up in the same step', () => {
    expect(nextAdvance(onCancel(call), reference, loaded())).toMatchObject({
      calls: [{ callId: 'c1', name: 'ask', request: { a: 1 } }],
      endedCalls: [],
    });
    const givenUp = nextAdvance(onCancel(call, { kind: 'give_up_call', callId: 'c1' }), reference, loaded());
    expect(givenUp).toMatchObject({ calls: [], endedCalls: [] });
  });

  it('gives up a call that is open, and nothing where it has its answer', () => {
    const manager = onCancel({ kind: 'give_up_call', callId: 'c1' });
    const open = loaded({ calls: [{ callId: 'c1', name: 'ask', request: {} }] });
    expect(nextAdvance(manager, reference, open).endedCalls).toEqual(['c1']);
    expect(nextAdvance(manager, reference, loaded()).endedCalls).toEqual([]);
  });

  it('at the end: leaves no timer and no call', () => {
    const manager = managerWith(() => [{ ...call, callId: 'c2' }, { kind: 'set_timer', name: 't', afterSeconds: 1 }], true);
    const open = loaded({ timers: { other: later }, calls: [{ callId: 'c1', name: 'ask', request: {} }] });
    expect(nextAdvance(manager, reference, open)).toMatchObject({ status: 'done', timers: {}, calls: [], endedCalls: ['c1'] });
  });
});

describe('the commands of a step', () => {
  const ids = (step: number) => nextAdvance(onCancel(send, send), reference, loaded({ step })).commands.map(({ commandId }) => commandId);

  it('have ids that nobody can know beforehand, also by taking the step', () => {
    const all = [...ids(3), ...ids(3), ...ids(4)];
    expect(new Set(all).size).toBe(6);
    for (const id of all) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('name the aggregate, the command that is behind them, and what came directly before', () => {
    const event = { ...orderApproved, metadata: { commandId: 'c-of-event' } };
    const outcome = { kind: 'outcome', commandId: 'c-of-outcome', type: 'Y', aggregateId: 'a', status: 'succeeded', outcome: {} };
    const answer = { kind: 'answer', callId: 'c1', name: 'ask', answer: { ok: true, value: 1 }, causationId: 'c-of-call' };
    const reactions = [{ kind: 'event', event }, outcome, answer, cancel].map((message, sequence) => ({ sequence, message }));
    const timed = { timers: { t: past }, timerCauses: { t: 'c-of-timer' }, dueTimers: ['t'] };
    const { commands, trace } = nextAdvance(managerWith(() => [send]), reference, loaded({ reactions, ...timed }));
    expect(commands.map(({ causationId, cause }) => [causationId, cause])).toEqual([
      ['c-of-event', 'position 9'],
      ['c-of-outcome', 'c-of-outcome'],
      ['c-of-call', 'answer c1'],
      [null, 'cancellation'],
      ['c-of-timer', 'timer t fired'],
    ]);
    expect(commands[0]).toMatchObject({ ...release, aggregateType: 'budget', aggregateId: 'groceries' });
    expect(trace).toEqual([{ what: 'timer', id: 'timer t fired', name: 't', status: 'fired', causationId: 'c-of-timer', cause: 'timer t' }]);
  });

  it('are those of the domain, or the step fails', () => {
    const unknown: Effect = { kind: 'send', aggregateId: 'a', command: { type: 'DoMagic', payload: {} } };
    expect(() => nextAdvance(onCancel(unknown), reference, loaded())).toThrow('There is no command DoMagic.');
  });
});

it('calls and timers keep the command behind them, and stand in the trace with what came directly before', () => {
  const event = { ...orderApproved, metadata: { commandId: 'c-of-event' } };
  const behind = { causationId: 'c-of-event', cause: 'position 9' };
  const effects = [call, { kind: 'set_timer', name: 't', afterSeconds: 1 }, { kind: 'clear_timer', name: 'none' }, { kind: 'give_up_call', callId: 'none' }] as const;
  const next = nextAdvance(managerWith(() => effects), reference, loaded({ reactions: [{ sequence: 1, message: { kind: 'event', event } }] }));
  expect(next.calls).toEqual([{ callId: 'c1', name: 'ask', request: { a: 1 }, causationId: 'c-of-event' }]);
  expect(next.timerCauses).toEqual({ t: 'c-of-event' });
  expect(next.trace).toEqual([
    { what: 'call', id: 'call c1', name: 'ask', status: 'made', ...behind },
    { what: 'timer', id: 'timer t', name: 't', status: 'set', ...behind },
  ]);
});

it('reacts to no event of a newer release: it waits for a worker of that release', () => {
  const message = { kind: 'event', event: { ...orderApproved, schemaVersion: 2, metadata: {} } };
  const react = () => nextAdvance(onCancel(), reference, loaded({ reactions: [{ sequence: 1, message }] }));
  expect(react).toThrow(expect.objectContaining({ name: 'ReleaseOutdated' }));
});
