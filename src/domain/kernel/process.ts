import type { DomainMessage } from './decider.ts';
import type { Rejection } from './result.ts';

/**
 * What turns facts into next steps, over many aggregates and over time: given its state and what has happened, what follows?
 * Pure, as a decider is. Each instance has a key of its own and is told of everything in order, once.
 */
export interface ProcessManager<
  State = unknown,
  Event extends DomainMessage = DomainMessage,
  Command extends DomainMessage = DomainMessage,
> {
  readonly name: string;
  /** Raise it whenever the state's shape changes, and give `upcast`. */
  readonly stateVersion: number;
  /** What it is told of, and where in the event the instance's key stands. */
  readonly events: { readonly [Type in Event['type']]: KeyPath<Extract<Event, { readonly type: Type }>> };
  /** Stored as JSON, as every state is: an object. */
  readonly initialState: State;
  react(state: State, reaction: Reaction<Event, Command>, context: ReactionContext): Step<State, Command>;
  /** True if it waits for nothing: its timers and outside calls end. An event can still begin it anew, from the state that it has. */
  hasEnded(state: State): boolean;
  /** What an instance's state of an older version is now. Without it such an instance fails. */
  upcast?(state: unknown, fromVersion: number): State;
}

/** The id of the event's aggregate, or a text in its payload. */
export type KeyPath<Event extends DomainMessage = DomainMessage> = 'aggregateId' | `payload.${FieldOf<Event['payload']>}`;
type FieldOf<Payload> = unknown extends Payload ? string : keyof Payload & string;

export interface ReactionContext {
  /** Of this instance. */
  readonly key: string;
}

/** What an instance is told. */
export type Reaction<Event extends DomainMessage = DomainMessage, Command extends DomainMessage = DomainMessage> =
  | { readonly kind: 'event'; readonly event: Event & { readonly aggregateId: string } }
  | CommandOutcome<Command>
  /** Of the call with this name. A refusal is an answer, and so is a call that has failed for good. */
  | { readonly kind: 'answer'; readonly callId: string; readonly name: string; readonly answer: Answer }
  | { readonly kind: 'timer'; readonly name: string }
  /** An operator wants it to come to an end: undo what can be undone. */
  | { readonly kind: 'cancel' };

/** Of a command that this instance sent. One that failed tells nothing: an operator retries it. */
export type CommandOutcome<Command extends DomainMessage = DomainMessage> = {
  readonly kind: 'outcome';
  readonly commandId: string;
  readonly type: Command['type'];
  readonly aggregateId: string;
} & (
  | { readonly status: 'succeeded'; readonly outcome: unknown }
  | { readonly status: 'rejected'; readonly outcome: Rejection }
);

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

export interface Step<State, Command extends DomainMessage> {
  readonly state: State;
  readonly effects: readonly Effect<Command>[];
}

export type Effect<Command extends DomainMessage = DomainMessage> =
  | { readonly kind: 'send'; readonly aggregateId: string; readonly command: Command }
  /** `callId` is the idempotency key towards the other side, and unique within the instance. */
  | { readonly kind: 'call'; readonly name: string; readonly callId: string; readonly request: unknown }
  | { readonly kind: 'give_up_call'; readonly callId: string }
  /** If a timer of this name is set already, it starts anew. */
  | { readonly kind: 'set_timer'; readonly name: string; readonly afterSeconds: number }
  | { readonly kind: 'clear_timer'; readonly name: string };
