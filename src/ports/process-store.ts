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

/** A call to be made. */
export interface NewProcessCall extends ProcessCall {
  /** The command behind it. */
  readonly causationId: string | null;
}

export interface LoadedCall {
  readonly name: string;
  readonly request: unknown;
  readonly traceparent: string | null;
}

export interface LoadedProcess {
  /** Null if it has not reacted to anything yet. */
  readonly state: unknown;
  readonly stateVersion: number | null;
  /** Goes up by one with each advance. */
  readonly step: number;
  readonly status: ProcessStatus;
  /** When each is due, by name; ISO 8601, UTC. */
  readonly timers: Readonly<Record<string, string>>;
  /** By name, the command behind each. */
  readonly timerCauses: Readonly<Record<string, string | null>>;
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
  /** The command behind it, directly or by way of calls and timers; null: there is none. */
  readonly causationId: string | null;
  /** The id of the entry of `command_trace` that came directly before it. */
  readonly cause: string;
}

/** What happened between an event and a command, for `command_trace`. */
export interface ProcessTraceEntry {
  readonly what: 'call' | 'timer';
  readonly id: string;
  readonly name: string | null;
  readonly status: 'made' | 'given up' | 'set' | 'cleared' | 'fired';
  readonly causationId: string | null;
  readonly cause: string;
}

/** What one step changes, all or nothing. */
export interface ProcessAdvance {
  readonly state: unknown;
  readonly stateVersion: number;
  readonly status: 'open' | 'done';
  /** All that are set from now on. */
  readonly timers: Readonly<Record<string, string>>;
  /** By name, the command behind each of them. */
  readonly timerCauses: Readonly<Record<string, string | null>>;
  readonly commands: readonly ProcessCommand[];
  /** New ones. */
  readonly calls: readonly NewProcessCall[];
  /** Given up: not to be answered any more. */
  readonly endedCalls: readonly string[];
  /** The sequences of the reactions that this step has taken in. */
  readonly acknowledged: readonly number[];
  readonly trace: readonly ProcessTraceEntry[];
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
  /** Null if there is no such instance. */
  load(process: ProcessReference): Promise<LoadedProcess | null>;
  /** `moved_on`: somebody else has taken the expected step, and nothing was changed now. */
  advance(process: ProcessReference, expectedStep: number, advance: ProcessAdvance): Promise<AdvancedProcess | 'moved_on'>;
  /** Null if the call is answered or ended. */
  loadCall(process: ProcessReference, callId: string): Promise<LoadedCall | null>;
  /** Queues the answer as a reaction, once. False if the call is answered or ended. */
  answerCall(process: ProcessReference, callId: string, answer: OutsideAnswer): Promise<boolean>;
  /** Queues the reaction `cancel`. */
  cancel(process: ProcessReference): Promise<void>;
  /** Stops the instance until an operator retries it. */
  fail(process: ProcessReference, error: { readonly name: string; readonly message: string }): Promise<void>;
}
