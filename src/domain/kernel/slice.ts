import type { Decider, DomainMessage } from './decider.ts';
import type { CommandDefinitions } from './message.ts';

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
  readonly commands: CommandDefinitions;
  readonly decider: Decider<State, Command, Event, Code>;
}
