import type { OutsideAnswer } from './outside-calls.ts';

export interface ProcessReference {
  readonly tenantId: string;
  /** The process manager's name. */
  readonly process: string;
  /** Which of its instances. */
  readonly key: string;
}

/** `failed`: a bug; it waits for an operator. */
export type ProcessStatus = 'open' | 'done' | 'failed';

export interface ProcessCall {
  /** Unique within the instance. */
  readonly callId: string;
  readonly name: string;
  readonly request: unknown;
}

export interface LoadedCall {
  readonly name: string;
  readonly request: unknown;
  readonly traceparent: string | null;
}

export interface LoadedProcess {
  /** Null where it has not reacted to anything yet. */
  readonly state: unknown;
  readonly stateVersion: number | null;
  /** Goes up by one with each advance. */
  readonly step: number;
  readonly status: ProcessStatus;
  /** When each is due, by name; ISO 8601, UTC. */
  readonly timers: Readonly<Record<string, string>>;
  readonly dueTimers: readonly string[];
  /** Those that wait for their answer. */
  readonly calls: readonly ProcessCall[];
  /** Of the request that set it off, or had it go on last. */
  readonly traceparent: string | null;
  /** The store's clock, which all timers go by. */
  readonly now: string;
  /** The next ones, in order; not necessarily all. */
  readonly reactions: readonly { readonly sequence: number; readonly message: unknown }[];
}

export interface ProcessCommand {
  readonly commandId: string;
  readonly type: string;
  /** Of the release that sends it. */
  readonly schemaVersion: number;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly payload: unknown;
  readonly causationId: string | null;
}

/** What one step changes, all or nothing. */
export interface ProcessAdvance {
  readonly state: unknown;
  readonly stateVersion: number;
  readonly status: 'open' | 'done';
  /** All that are set from now on. */
  readonly timers: Readonly<Record<string, string>>;
  readonly commands: readonly ProcessCommand[];
  /** New ones. */
  readonly calls: readonly ProcessCall[];
  /** Given up: not to be answered any more. */
  readonly endedCalls: readonly string[];
  /** The sequences of the reactions that this step has taken in. */
  readonly acknowledged: readonly number[];
}

export interface AdvancedProcess {
  readonly step: number;
  /** Reactions wait. */
  readonly more: boolean;
  readonly nextTimerInMs: number | null;
  readonly calls: readonly { readonly callId: string; readonly name: string }[];
}

/** The instances of process managers, as their execution sees them. Every method may throw `StoreUnavailable`. */
export interface ProcessStore {
  /** Null where there is no such instance. */
  load(process: ProcessReference): Promise<LoadedProcess | null>;
  /** `moved_on`: somebody else has taken the expected step, and nothing was changed now. */
  advance(process: ProcessReference, expectedStep: number, advance: ProcessAdvance): Promise<AdvancedProcess | 'moved_on'>;
  /** Null where the call is answered or ended. */
  loadCall(process: ProcessReference, callId: string): Promise<LoadedCall | null>;
  /** Queues the answer as a reaction, once. False where the call is answered or ended. */
  answerCall(process: ProcessReference, callId: string, answer: OutsideAnswer): Promise<boolean>;
  /** Queues the reaction `cancel`. */
  cancel(process: ProcessReference): Promise<void>;
  /** Stops the instance until an operator retries it. */
  fail(process: ProcessReference, error: { readonly name: string; readonly message: string }): Promise<void>;
}
