import { expect } from 'vitest';
import type { DomainMessage } from '../domain/kernel/decider.ts';
import type { Effect, ProcessManager, Reaction } from '../domain/kernel/process.ts';

/** Given what an instance was told, when it is told this, then it does that: the specification of a process manager. */
export function processSpecificationOf<State, Event extends DomainMessage, Command extends DomainMessage>(
  manager: ProcessManager<State, Event, Command>,
  key: string,
) {
  return function given(...past: readonly Reaction<Event, Command>[]) {
    const state = past.reduce((current, reaction) => manager.react(current, reaction, { key }).state, manager.initialState);
    return {
      state,
      when(reaction: Reaction<Event, Command>) {
        const step = manager.react(state, reaction, { key });
        return {
          step,
          does(...effects: readonly Effect<Command>[]) {
            expect(step.effects).toEqual(effects);
            return {
              andEnds: () => expect(manager.hasEnded(step.state)).toBe(true),
              andGoesOn: () => expect(manager.hasEnded(step.state)).toBe(false),
            };
          },
          doesNothing(): void {
            expect(step).toEqual({ state, effects: [] });
          },
        };
      },
    };
  };
}
