/** A member's role in a tenant; `system` is for process managers and operators and can never come from a token. */
export type Role = 'owner' | 'member' | 'guest';
export type Sender = Role | 'system';

/**
 * How commands of a type are executed: `temporal` starts one workflow a command, `inline` decides in the pump's process.
 */
export type Execution = 'temporal' | 'inline';

/** The part of a schema library that the rest of the code relies on; zod's schemas fit it as they are. */
export interface Schema<Value> {
  safeParse(
    input: unknown,
  ):
    | { success: true; data: Value }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
}

export interface CommandDefinition<Payload = unknown> {
  readonly aggregateType: string;
  /** A regular expression, anchored, that PostgreSQL and JavaScript read alike. */
  readonly aggregateIdPattern: string;
  readonly sentBy: readonly Sender[];
  readonly schemaVersion: number;
  readonly execution: Execution;
  readonly payload: Schema<Payload>;
}

export type CommandDefinitions = Readonly<Record<string, CommandDefinition>>;

interface CommandShape<Payload> {
  readonly sentBy: readonly Sender[];
  readonly payload: Schema<Payload>;
}

interface AggregateShape {
  readonly type: string;
  readonly idPattern: string;
}

/** Completes a slice's commands with what they share: their aggregate, schema version 1 and the default execution. */
export function defineCommands<const Shapes extends Readonly<Record<string, CommandShape<unknown>>>>(
  aggregate: AggregateShape,
  shapes: Shapes,
): { readonly [Type in keyof Shapes]: CommandDefinition<PayloadIn<Shapes[Type]>> } {
  const definitions = Object.entries(shapes).map(([type, shape]) => [
    type,
    {
      aggregateType: aggregate.type,
      aggregateIdPattern: aggregate.idPattern,
      schemaVersion: 1,
      execution: 'temporal' as const,
      ...shape,
    },
  ]);
  return Object.fromEntries(definitions) as never;
}

type PayloadIn<Shape> = Shape extends { readonly payload: Schema<infer Payload> } ? Payload : never;

/** The union of a slice's commands, `{ type, payload }`, derived from their definitions. */
export type CommandOf<Definitions extends CommandDefinitions> = {
  [Type in keyof Definitions & string]: { readonly type: Type; readonly payload: PayloadIn<Definitions[Type]> };
}[keyof Definitions & string];
