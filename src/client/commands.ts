import type { AggregateType, CodeOf, CommandOf } from './slices.ts';

/** Every command of the domain, by its type. */
export type CommandType = CommandOf<AggregateType>['type'];

export type PayloadOf<Type extends CommandType> = Extract<CommandOf<AggregateType>, { readonly type: Type }>['payload'];

type AggregateOf<Type extends CommandType> = {
  [Aggregate in AggregateType]: Type extends CommandOf<Aggregate>['type'] ? Aggregate : never;
}[AggregateType];

/** The codes with which a command of this type can be rejected. A newer server may have more: keep a default in a switch. */
export type RejectionCode<Type extends CommandType> = CodeOf<AggregateOf<Type>> | 'CONFLICT' | 'INVALID_PAYLOAD';

/** What is the same for all commands. */
export interface Envelope {
  /** A UUID. Give it to make a repetition by your own code harmless. (Default: a new UUID version 7.) */
  readonly commandId?: string;
  /** The version of the aggregate that the decision rests on; another one is the rejection `CONFLICT`. (Default: any.) */
  readonly expectedVersion?: number;
  readonly correlationId?: string;
  readonly causationId?: string;
  /** Not before this moment: a date, or ISO 8601 with an offset. (Default: at once.) */
  readonly executeAt?: Date | string;
  /** Must equal the tenant of the session: a guard for user interfaces in which the tenant can be switched. */
  readonly tenantId?: string;
}

/** A command of one type, with the payload that the type asks for. */
export interface CommandToSend<Type extends CommandType> extends Envelope {
  readonly aggregateId: string;
  readonly payload: PayloadOf<Type>;
}

export interface SendOptions {
  /** Seconds to wait for the outcome, 0 to 20. (Default: 10.) */
  readonly wait?: number;
}

interface Answer {
  readonly commandId: string;
  /** The command had been sent before; this is what became of it. */
  readonly duplicate: boolean;
}

export type CommandResult<Code extends string = string> = Answer &
  (
    | { readonly status: 'pending' | 'dispatched' }
    | {
        readonly status: 'succeeded';
        readonly outcome: {
          readonly aggregateType: string;
          readonly aggregateId: string;
          readonly firstVersion: number;
          readonly lastVersion: number;
          readonly firstPosition: number;
          readonly lastPosition: number;
        };
      }
    | {
        readonly status: 'rejected';
        readonly outcome: { readonly code: Code; readonly message: string; readonly details?: unknown };
      }
    | { readonly status: 'failed'; readonly outcome: unknown }
  );
