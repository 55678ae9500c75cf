import type { commandDefinitions, CommandType } from '../domain/commands.ts';
import type { CommandDefinition } from '../domain/kernel/message.ts';

type PayloadOf<Type extends CommandType> =
  (typeof commandDefinitions)[Type] extends CommandDefinition<infer Payload> ? Payload : never;

interface Envelope {
  /** A UUID. Give it to make a repetition by your own code harmless. (Default: a new UUID version 7.) */
  readonly commandId?: string;
  readonly aggregateId: string;
  /** The version of the aggregate that the decision rests on; another one is the rejection `CONFLICT`. (Default: any.) */
  readonly expectedVersion?: number;
  readonly correlationId?: string;
  readonly causationId?: string;
  /** ISO 8601 with an offset: not before this moment. (Default: at once.) */
  readonly executeAt?: string;
  /** Must equal the tenant of the session: a guard for user interfaces in which the tenant can be switched. */
  readonly tenantId?: string;
}

/** Any command of the domain, with the payload that its type asks for. */
export type CommandToSend = {
  [Type in CommandType]: Envelope & { readonly type: Type; readonly payload: PayloadOf<Type> };
}[CommandType];

interface Answer {
  readonly commandId: string;
  /** The command had been sent before; this is what became of it. */
  readonly duplicate: boolean;
}

export type CommandResult = Answer &
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
        readonly outcome: { readonly code: string; readonly message: string; readonly details?: unknown };
      }
    | { readonly status: 'failed'; readonly outcome: unknown }
  );
