import type { DecisionContext, DomainMessage } from '../domain/kernel/decider.ts';
import type { Slice } from '../domain/kernel/slice.ts';

/** A command that was sent and whose effect is not in the log yet, as far as this client knows. */
export interface Pending<Command extends DomainMessage = DomainMessage> {
  readonly command: Command;
  readonly context: DecisionContext;
  /** Of its last event, once it is known to have succeeded. */
  readonly settledAt: number | null;
}

/**
 * The state as it will be, should all pending commands be accepted: decided anew on what has arrived. One that would be rejected
 * on this state shows nothing; whether it is, the server says.
 */
export function applyPending(
  decider: Slice['decider'],
  confirmed: unknown,
  pending: readonly Pending[],
): unknown {
  return pending.reduce((state, { command, context }) => {
    const decision = decider.decide(command, state, context);
    return decision.ok ? decision.value.reduce(decider.evolve, state) : state;
  }, confirmed);
}

/** Without those whose effect the log now has. `arrived`: the commands of the events that were just applied. */
export function withoutSettled(
  pending: readonly Pending[],
  position: number,
  arrived: ReadonlySet<string | undefined>,
): readonly Pending[] {
  const left = pending.filter(
    ({ context, settledAt }) => !arrived.has(context.commandId) && (settledAt === null || settledAt > position),
  );
  return left.length === pending.length ? pending : left;
}
