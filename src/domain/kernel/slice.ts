import type { Decider, DomainMessage } from './decider.ts';
import type { CommandDefinitions, EventDefinition } from './message.ts';
import type { Upcasters } from './upcast.ts';

/** Everything the system needs to know of one aggregate type; `registry.ts` lists one a slice. */
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
  readonly commands: CommandDefinitions;
  readonly events: Readonly<Record<Event['type'], EventDefinition>>;
  readonly upcasters: Upcasters;
  readonly decider: Decider<State, Command, Event, Code>;
}
