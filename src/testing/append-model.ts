import type { Append, AppendAnswer } from './appends.ts';

export type AppendResult = AppendAnswer | AppendRefusal;

export interface AppendRefusal {
  readonly code: 'IN001' | 'IN404' | 'IN410' | 'IN422';
}

export interface ModelEvent {
  readonly position: number;
  readonly aggregateId: string;
  readonly version: number;
  readonly note: unknown;
  readonly commandId: string | null;
}

interface ModelCommand {
  readonly aggregateId: string;
  /** Undefined while it is open. */
  readonly end?: AppendAnswer | 'rejected';
}

/** What one tenant's log should hold: the rules of `intent.append_events`, as simply as they can be said. */
export interface AppendModel {
  readonly events: readonly ModelEvent[];
  readonly commands: ReadonlyMap<string, ModelCommand>;
}

export const emptyModel: AppendModel = { events: [], commands: new Map() };

export const versionOf = ({ events }: AppendModel, aggregateId: string) => events.filter((event) => event.aggregateId === aggregateId).length;

export function withCommand(model: AppendModel, commandId: string, command: ModelCommand): AppendModel {
  return { ...model, commands: new Map(model.commands).set(commandId, command) };
}

export function isRefusal(result: AppendResult): result is AppendRefusal {
  return 'code' in result;
}

/** The log after the append, and its answer. A refusal leaves the log as it was. */
export function appendTo(model: AppendModel, { aggregateId, expectedVersion, events, commandId }: Append): [AppendModel, AppendResult] {
  const refuse = (code: AppendRefusal['code']): [AppendModel, AppendRefusal] => [model, { code }];
  if (commandId !== undefined) {
    const command = model.commands.get(commandId);
    if (command === undefined) return refuse('IN404');
    if (command.end === 'rejected') return refuse('IN410');
    if (command.end !== undefined) return [model, { ...command.end, duplicate: true }];
    if (command.aggregateId !== aggregateId) return refuse('IN422');
  }
  if (events.length === 0) return refuse('IN422');
  const version = versionOf(model, aggregateId);
  if (expectedVersion !== null && expectedVersion !== version) return refuse('IN001');

  const position = model.events.length;
  const appended = events.map((event, index) => ({
    position: position + index + 1,
    aggregateId,
    version: version + index + 1,
    note: (event as { payload: { note: unknown } }).payload.note,
    commandId: commandId ?? null,
  }));
  const answer: AppendAnswer = {
    firstVersion: version + 1,
    lastVersion: version + events.length,
    firstPosition: position + 1,
    lastPosition: position + events.length,
    duplicate: false,
  };
  const after = { ...model, events: [...model.events, ...appended] };
  return [commandId === undefined ? after : withCommand(after, commandId, { aggregateId, end: answer }), answer];
}
