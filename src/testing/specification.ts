import { expect } from 'vitest';
import type { Decider, DecisionContext, DomainMessage } from '../domain/kernel/decider.ts';

const context: DecisionContext = {
  now: '2026-01-02T03:04:05.000Z',
  actor: { userId: '00000000-0000-4000-8000-00000000000a', role: 'owner' },
  tenantId: '00000000-0000-4000-8000-000000000001',
  commandId: '00000000-0000-4000-8000-0000000000c1',
  aggregateId: 'aggregate',
};

/** Given past events, when a command comes, then these events or this rejection: the specification of a decider. */
export function specificationOf<State, Command extends DomainMessage, Event extends DomainMessage, Code extends string>(
  decider: Decider<State, Command, Event, Code>,
) {
  return function given(...past: readonly Event[]) {
    const state = past.reduce((current, event) => decider.evolve(current, event), decider.initialState);
    return {
      state,
      when(command: Command, actor: DecisionContext['actor'] = context.actor) {
        const result = decider.decide(command, state, { ...context, actor });
        return {
          then(...events: readonly Event[]): void {
            expect(result).toEqual({ ok: true, value: events });
          },
          thenRejected(code: Code): void {
            expect(result).toMatchObject({ ok: false, rejection: { code, message: expect.stringMatching(/\S/) } });
          },
        };
      },
    };
  };
}
