import type { Sender } from '../domain/kernel/message.ts';
import type { Rejection } from '../domain/kernel/result.ts';
import type { CommandReference } from './command-queue.ts';

export type CommandStatus = 'pending' | 'dispatched' | 'succeeded' | 'rejected' | 'failed';

export interface RecordedEvent {
  readonly position: number;
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly payload: unknown;
}

/** A stream's newest snapshot, if one of the asked state version is there, and events after it. */
export interface Stream {
  /** Of the stream's last event; 0 if there is none. */
  readonly version: number;
  readonly snapshot: { readonly version: number; readonly state: unknown } | null;
  /** The first ones, one at least if there is one: `loadEvents` has those that follow. */
  readonly events: readonly RecordedEvent[];
}

/** All that a decision needs besides the stream. */
export interface CommandToDecide {
  readonly commandId: string;
  readonly status: CommandStatus;
  readonly type: string;
  readonly schemaVersion: number;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly payload: unknown;
  /** Without a role: a person who put the command off, and is no member any more. */
  readonly actor: { readonly userId: string | null; readonly role: Sender | null };
  /** The version that the sender decided on; null: any. */
  readonly expectedVersion: number | null;
  readonly traceparent: string | null;
  /** Since it could be executed, by the store's clock. */
  readonly dueMsAgo: number;
  /** Null if it is not marked as dispatched yet. */
  readonly dispatchedMsAgo: number | null;
}

export interface LoadedCommand extends CommandToDecide {
  readonly stream: Stream;
}

interface Aggregate {
  readonly aggregateType: string;
  readonly aggregateId: string;
}

/** An aggregate with open commands, in the order in which they are to be decided. */
export interface LoadedRun extends Aggregate {
  readonly stream: Stream;
  readonly commands: readonly CommandToDecide[];
}

export interface NewEvent {
  readonly type: string;
  readonly schemaVersion: number;
  readonly payload: unknown;
}

export type Decision =
  | { readonly commandId: string; readonly events: readonly NewEvent[] }
  | { readonly commandId: string; readonly rejection: Rejection };

/** What an aggregate's commands have come to, each decided on what the one before it has left. */
export interface DecidedRun extends Aggregate {
  /** Of the stream that the first one was decided on. */
  readonly expectedVersion: number;
  readonly decisions: readonly Decision[];
}

export type AppendResult =
  | {
      readonly lastVersion: number;
      /** The command had succeeded before: this is its first result, and nothing was appended now. */
      readonly duplicate: boolean;
    }
  /** The stream has moved on to this version: these are the first after the expected one, and nothing was appended. */
  | { readonly missed: readonly RecordedEvent[]; readonly version: number };

export interface SnapshotToSave extends Aggregate {
  readonly tenantId: string;
  readonly version: number;
  readonly stateVersion: number;
  readonly state: unknown;
}

/**
 * Commands and streams, as their execution sees them. Every method may throw `StoreUnavailable`; those that settle throw
 * `CommandSettled` if the command has already ended otherwise.
 */
export interface CommandStore {
  /** Null if there is no such command. */
  load(command: CommandReference, stateVersions: Readonly<Record<string, number>>): Promise<LoadedCommand | null>;
  /** The next events of a stream, and its version by now. */
  loadEvents(stream: Aggregate & { readonly tenantId: string }, afterVersion: number): Promise<Omit<Stream, 'snapshot'>>;
  /** Appends and settles the command as succeeded, all or nothing. */
  append(
    command: CommandReference,
    aggregate: Aggregate,
    expectedVersion: number,
    events: readonly NewEvent[],
  ): Promise<AppendResult>;
  reject(command: CommandReference, rejection: Rejection): Promise<void>;
  /** Dead-letters the command. */
  fail(command: CommandReference, error: { readonly name: string; readonly message: string }): Promise<void>;
  /**
   * The aggregates of claimed commands of one tenant, with whole streams; those of long ones are left out. With those that are still open come others of their aggregates that wait for
   * them, at most `maxFollowers` each: nobody else can claim these while the claim lasts.
   */
  loadBatch(
    tenantId: string,
    commandIds: readonly string[],
    maxFollowers: number,
    stateVersions: Readonly<Record<string, number>>,
  ): Promise<readonly LoadedRun[]>;
  /**
   * Appends and settles in one transaction. Returns for each run whether it was settled: whole, or, if its stream has moved on
   * or one of its commands has ended, not at all. Throws if anything in it is malformed; then nothing is settled.
   */
  settleBatch(tenantId: string, runs: readonly DecidedRun[]): Promise<readonly boolean[]>;
  saveSnapshot(snapshot: SnapshotToSave): Promise<void>;
}
