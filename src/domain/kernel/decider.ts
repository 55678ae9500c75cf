import type { Sender } from './message.ts';
import type { Rejection, Result } from './result.ts';

/** What a decision may know besides command and state, so that the domain reads no clock and no random source. */
export interface DecisionContext {
  /** ISO 8601, UTC. */
  readonly now: string;
  /** `userId` is null for `system`. */
  readonly actor: { readonly userId: string | null; readonly role: Sender };
  readonly tenantId: string;
  readonly commandId: string;
  readonly aggregateId: string;
}

export interface DomainMessage {
  readonly type: string;
  readonly payload: unknown;
}

/** The consistency boundary as two pure functions; both run unchanged on the server and in the client. */
export interface Decider<State, Command extends DomainMessage, Event extends DomainMessage, Code extends string> {
  readonly initialState: State;
  decide(command: Command, state: State, context: DecisionContext): Result<readonly Event[], Rejection<Code>>;
  /** In time that does not grow with the state, or a long stream is folded in quadratic time: see `persistent-record.ts`. */
  evolve(state: State, event: Event): State;
}
