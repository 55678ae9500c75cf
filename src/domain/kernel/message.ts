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

export interface EventDefinition<Payload = unknown> {
  /** With which it is written now. */
  readonly schemaVersion: number;
  /** Of that version. Facts are not refused: tests hold what was ever written against it, and the worker does not. */
  readonly payload: Schema<Payload>;
}

export type EventDefinitions = Readonly<Record<string, EventDefinition>>;

interface EventShape<Payload> {
  /** (Default: 1) Raise it with each change of the schema, and give the slice an upcaster from the version before. */
  readonly schemaVersion?: number;
  readonly payload: Schema<Payload>;
}

interface CommandShape<Payload> extends EventShape<Payload> {
  readonly sentBy: readonly Sender[];
}

interface AggregateShape {
  readonly type: string;
  readonly idPattern: string;
}

/** Completes a slice's commands with what they share: their aggregate, and by default schema version 1 and Temporal. */
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

/** Completes a slice's events: by default they have schema version 1. */
export function defineEvents<const Shapes extends Readonly<Record<string, EventShape<unknown>>>>(
  shapes: Shapes,
): { readonly [Type in keyof Shapes]: EventDefinition<PayloadIn<Shapes[Type]>> } {
  return Object.fromEntries(Object.entries(shapes).map(([type, shape]) => [type, { schemaVersion: 1, ...shape }])) as never;
}

type PayloadIn<Shape> = Shape extends { readonly payload: Schema<infer Payload> } ? Payload : never;

/** The union of a slice's commands, or of its events, `{ type, payload }`, derived from their definitions. */
export type MessageOf<Definitions extends Readonly<Record<string, { readonly payload: Schema<unknown> }>>> = {
  [Type in keyof Definitions & string]: { readonly type: Type; readonly payload: PayloadIn<Definitions[Type]> };
}[keyof Definitions & string];
