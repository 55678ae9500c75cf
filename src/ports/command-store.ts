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

/** A stream's newest snapshot, where one of the asked state version is there, and the events after it. */
export interface Stream {
  /** Of the last event; 0 where there is none. */
  readonly version: number;
  readonly snapshot: { readonly version: number; readonly state: unknown } | null;
  readonly events: readonly RecordedEvent[];
}

/** All that a decision needs. */
export interface LoadedCommand {
  readonly status: CommandStatus;
  readonly type: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly payload: unknown;
  readonly actor: { readonly userId: string | null; readonly role: Sender };
  /** The version that the sender decided on; null: any. */
  readonly expectedVersion: number | null;
  readonly stream: Stream;
}

export interface NewEvent {
  readonly type: string;
  readonly schemaVersion: number;
  readonly payload: unknown;
}

export type AppendResult =
  | {
      readonly lastVersion: number;
      /** The command had succeeded before: this is its first result, and nothing was appended now. */
      readonly duplicate: boolean;
    }
  /** The stream has moved on: these came after the expected version, and nothing was appended. */
  | { readonly missed: readonly RecordedEvent[] };

export interface SnapshotToSave {
  readonly tenantId: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly stateVersion: number;
  readonly state: unknown;
}

/**
 * Commands and streams, as their execution sees them. Every method may throw `StoreUnavailable`; those that settle throw
 * `CommandSettled` where the command has already ended otherwise.
 */
export interface CommandStore {
  /** Null where there is no such command. */
  load(command: CommandReference, stateVersions: Readonly<Record<string, number>>): Promise<LoadedCommand | null>;
  /** Appends and settles the command as succeeded, all or nothing. */
  append(
    command: CommandReference,
    aggregate: { readonly aggregateType: string; readonly aggregateId: string },
    expectedVersion: number,
    events: readonly NewEvent[],
  ): Promise<AppendResult>;
  reject(command: CommandReference, rejection: Rejection): Promise<void>;
  /** Dead-letters the command. */
  fail(command: CommandReference, error: { readonly name: string; readonly message: string }): Promise<void>;
  saveSnapshot(snapshot: SnapshotToSave): Promise<void>;
}
