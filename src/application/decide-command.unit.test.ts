import { describe, expect, it } from 'vitest';
import { evolvedBudget } from '../testing/evolved-budget.ts';
import type { CommandToDecide } from '../ports/command-store.ts';
import { type Aggregate, decide, evolve } from './decide-command.ts';

const context = { tenantId: '00000000-0000-4000-8000-000000000001', now: '2026-01-01T00:00:00.000Z' };
const budget: Aggregate = { slice: evolvedBudget, state: evolvedBudget.decider.initialState, version: 0 };
const opened = { type: 'BudgetOpened', schemaVersion: 1, payload: { name: 'Groceries', limit: 1 } };
const limitChanged = (schemaVersion: number, payload: unknown) => ({ type: 'BudgetLimitChanged', schemaVersion, payload });

function changeLimit(schemaVersion: number, payload: unknown): CommandToDecide {
  return {
    commandId: '00000000-0000-4000-8000-0000000000c1',
    status: 'dispatched',
    type: 'ChangeBudgetLimit',
    schemaVersion,
    aggregateType: 'budget',
    aggregateId: 'groceries',
    payload,
    actor: { userId: '00000000-0000-4000-8000-00000000000a', role: 'owner' },
    expectedVersion: null,
    traceparent: null,
    dueMsAgo: 0,
    dispatchedMsAgo: null,
  };
}

describe('a stream', () => {
  it.each([1, 2, 3])('is folded from events of every schema version, as from those of version %i alone', (version) => {
    const payload = [{ euros: 5 }, { amount: 500 }, { limit: 500 }][version - 1];
    expect(evolve(budget, [opened, limitChanged(version, payload)])).toMatchObject({ version: 2, state: { limit: 500 } });
  });

  it.each([
    ['version', limitChanged(4, { limit: 1 })],
    ['type', { type: 'BudgetPainted', schemaVersion: 1, payload: {} }],
  ])('with an event of a newer %s waits for a worker of that release', (_what, event) => {
    expect(() => evolve(budget, [opened, event])).toThrow(expect.objectContaining({ name: 'ReleaseOutdated' }));
  });
});

describe('a command', () => {
  const open = evolve(budget, [opened]);

  it('whose sender is no member any more is not allowed', () => {
    const command = changeLimit(3, { limit: 1 });
    expect(decide({ ...command, actor: { ...command.actor, role: null } }, open, context)).toMatchObject({ ok: false, rejection: { code: 'NOT_ALLOWED' } });
  });

  it('that has waited since an older release is decided as one of today, and its event is written in the current version', () => {
    expect(decide(changeLimit(1, { euros: 5 }), open, context)).toEqual({ ok: true, value: [limitChanged(3, { limit: 500 })] });
  });

  it.each([
    ['does not fit once it is brought to the current version', { euros: -5 }],
    ['cannot be brought there', null],
  ])('of an older release is rejected with INVALID_PAYLOAD where its payload %s', (_why, payload) => {
    expect(decide(changeLimit(1, payload), open, context)).toMatchObject({ ok: false, rejection: { code: 'INVALID_PAYLOAD' } });
  });

  it('of a newer release waits for a worker of that release', () => {
    expect(() => decide(changeLimit(4, { limit: 1 }), open, context)).toThrow(expect.objectContaining({ name: 'ReleaseOutdated' }));
  });
});
