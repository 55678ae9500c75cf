import type { Decider, DomainMessage } from './decider.ts';
import type { CommandDefinitions, CommandEntry, EventDefinitions, MessageEntry } from './message.ts';
import type { Upcasters } from './upcast.ts';

/** The rules of one aggregate type: what server and client share. */
export interface Slice<
  State = unknown,
  Command extends DomainMessage = DomainMessage,
  Event extends DomainMessage = DomainMessage,
  Code extends string = string,
> {
  readonly aggregateType: string;
  /** Raise it whenever `evolve` or the state's shape changes: older snapshots are then ignored. */
  readonly stateVersion: number;
  /** A snapshot is due each time a stream has grown by so many events. */
  readonly snapshotEvery: number;
  readonly commands: Readonly<Record<Command['type'], CommandEntry>>;
  readonly events: Readonly<Record<Event['type'], MessageEntry>>;
  readonly upcasters: Upcasters;
  readonly decider: Decider<State, Command, Event, Code>;
}

/** With the schemas that the server holds commands against; `registry.ts` lists one a slice. */
export interface RegisteredSlice extends Slice {
  readonly commands: CommandDefinitions;
  readonly events: EventDefinitions;
}
