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

/**
 * A slice's messages without the schemas of their payloads: all that its rules need, and with them a browser, which would load a
 * schema library for nothing.
 */
export interface Catalogue {
  readonly aggregateType: string;
  /** A regular expression, anchored, that PostgreSQL and JavaScript read alike. */
  readonly aggregateIdPattern: string;
  readonly commands: Readonly<Record<string, CommandEntry>>;
  readonly events: Readonly<Record<string, MessageEntry>>;
}

export interface MessageEntry {
  /** With which it is written now. Raise it with each change of the schema, and give the slice an upcaster from the version before. */
  readonly schemaVersion: number;
}

export interface CommandEntry extends MessageEntry {
  readonly sentBy: readonly Sender[];
}

export interface CommandDefinition<Payload = unknown> extends CommandEntry {
  readonly aggregateType: string;
  readonly aggregateIdPattern: string;
  readonly execution: Execution;
  readonly payload: Schema<Payload>;
}

export type CommandDefinitions = Readonly<Record<string, CommandDefinition>>;

export interface EventDefinition<Payload = unknown> extends MessageEntry {
  /** Of the current version. Facts are not refused: tests hold what was ever written against it, and the worker does not. */
  readonly payload: Schema<Payload>;
}

export type EventDefinitions = Readonly<Record<string, EventDefinition>>;

type SchemasOf<Payloads> = { readonly [Type in keyof Payloads]: Schema<Payloads[Type]> };

/** Gives each command of the catalogue the schema of its payload, and by default Temporal. */
export function defineCommands<Given extends Catalogue, Payloads extends Record<keyof Given['commands'], unknown>>(
  { aggregateType, aggregateIdPattern, commands }: Given,
  schemas: SchemasOf<Payloads>,
): { readonly [Type in keyof Payloads]: CommandDefinition<Payloads[Type]> } {
  const shared = { aggregateType, aggregateIdPattern, execution: 'temporal' };
  const definitions = Object.entries(commands).map(([type, entry]) => [type, { ...shared, ...entry, payload: schemas[type as keyof Payloads] }]);
  return Object.fromEntries(definitions) as never;
}

/** Gives each event of the catalogue the schema of its payload. */
export function defineEvents<Given extends Catalogue, Payloads extends Record<keyof Given['events'], unknown>>(
  { events }: Given,
  schemas: SchemasOf<Payloads>,
): { readonly [Type in keyof Payloads]: EventDefinition<Payloads[Type]> } {
  const definitions = Object.entries(events).map(([type, entry]) => [type, { ...entry, payload: schemas[type as keyof Payloads] }]);
  return Object.fromEntries(definitions) as never;
}

/** The union of a slice's commands, or of its events, `{ type, payload }`, derived from their definitions. */
export type MessageOf<Definitions extends Readonly<Record<string, { readonly payload: Schema<unknown> }>>> = {
  [Type in keyof Definitions & string]: { readonly type: Type; readonly payload: PayloadIn<Definitions[Type]> };
}[keyof Definitions & string];

type PayloadIn<Definition> = Definition extends { readonly payload: Schema<infer Payload> } ? Payload : never;
