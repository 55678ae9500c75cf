import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BudgetCommand } from '../domain/budget/messages.ts';
import { noAmounts, withAmount } from '../domain/budget/amounts.ts';
import { budgetSlice, type BudgetState } from '../domain/budget/budget.ts';
import { applyPending, type Pending, withoutSettled } from './pending.ts';

const { decider } = budgetSlice;
const open: BudgetState = { status: 'open', name: 'Groceries', limit: 100, reserved: noAmounts, spent: noAmounts };

function pending(command: BudgetCommand, commandId: string, settledAt: number | null = null): Pending {
  const actor = { userId: 'u', role: 'owner' } as const;
  return { command, settledAt, context: { now: '2026-11-22T10:00:00Z', actor, tenantId: 't', commandId, aggregateId: 'groceries' } };
}

const changeLimit = (limit: number): BudgetCommand => ({ type: 'ChangeBudgetLimit', payload: { limit } });

test('without pending commands the state is the confirmed one, the same object', () => {
  expect(applyPending(decider, open, [])).toBe(open);
});

test('pending commands are decided one on the other, and again on a state that has changed', () => {
  const opening = pending({ type: 'OpenBudget', payload: { name: 'Groceries', limit: 50 } }, 'a');
  const raising = pending(changeLimit(80), 'b');
  expect(applyPending(decider, decider.initialState, [opening, raising])).toMatchObject({ limit: 80 });
  // Somebody else has opened it: the first is now refused, the second is not.
  expect(applyPending(decider, open, [opening, raising])).toMatchObject({ name: 'Groceries', limit: 80 });
});

test('a pending command that would be rejected shows nothing', () => {
  const committed = { ...open, spent: withAmount('order', 90, noAmounts) };
  expect(applyPending(decider, committed, [pending(changeLimit(10), 'a')])).toBe(committed);
});

test('when everything has arrived, however it came, the state is the one that was shown', () => {
  const limits = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(limits, fc.nat(), (wanted, many) => {
      const sent = wanted.map((limit, index) => pending(changeLimit(limit), String(index)));
      const shown = applyPending(decider, open, sent);
      const arrived = sent.slice(0, many % (sent.length + 1));
      const left = withoutSettled(sent, 0, new Set(arrived.map(({ context }) => context.commandId)));
      expect(left).toHaveLength(sent.length - arrived.length);
      expect(applyPending(decider, applyPending(decider, open, arrived), left)).toEqual(shown);
    }),
  );
});

test('a command leaves when its event has arrived, or when the log has been read up to its outcome', () => {
  const sent = [pending(changeLimit(1), 'a'), pending(changeLimit(2), 'b', 7), pending(changeLimit(3), 'c', 9)];
  const left = withoutSettled(sent, 8, new Set(['a']));
  expect(left.map(({ context }) => context.commandId)).toEqual(['c']);
  expect(withoutSettled(left, 8, new Set())).toBe(left);
});
