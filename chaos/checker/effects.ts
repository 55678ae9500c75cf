import type { CommandRow, EventRow, Evidence } from './evidence.ts';
import { commandKey, groupBy, streamKey } from './group.ts';
import { type Violation, violation } from './violation.ts';

interface Outcome {
  readonly firstVersion: number | null;
  readonly lastVersion: number | null;
  readonly firstPosition: number | null;
  readonly lastPosition: number | null;
}

/** B: a command takes effect at most once: one row, and the events that its outcome names, no others. */
export function checkEffects({ commands, events }: Evidence): Violation[] {
  const eventsOf = groupBy(events.filter(({ commandId }) => commandId !== null), commandKey);
  const rowsOf = groupBy(commands, commandKey);
  const twice = [...rowsOf].filter(([, rows]) => rows.length > 1).map(([id]) => violation('B', 'command settled twice', id));
  const orphans = [...eventsOf.keys()]
    .filter((id) => !rowsOf.get(id)?.some(({ status }) => status === 'succeeded'))
    .map((id) => [id, rowsOf.get(id)?.[0]?.status ?? 'not there'] as const)
    .map(([id, status]) => violation('B', 'effect without an outcome', `${id} is ${status}, and has events`));
  const differing = commands
    .filter(({ status }) => status === 'succeeded')
    .flatMap((command) => compare(command, eventsOf.get(commandKey(command)) ?? []));
  return [...twice, ...orphans, ...differing];
}

function compare(command: CommandRow, events: readonly EventRow[]): Violation[] {
  const id = commandKey(command);
  const { firstVersion, lastVersion, firstPosition, lastPosition } = command.outcome as Outcome;
  const promised = firstVersion === null || lastVersion === null ? 0 : lastVersion - firstVersion + 1;
  const found = `its outcome names ${promised} events, there are ${events.length}`;
  if (events.length < promised) return [violation('B', 'outcome without an effect', `${id}: ${found}`)];
  if (events.length > promised) return [violation('B', 'effect doubled', `${id}: ${found}`)];
  const isBetween = (value: number, first: number | null, last: number | null) => value >= first! && value <= last!;
  const isElsewhere = events.some(
    (event) =>
      streamKey(event) !== streamKey(command) ||
      !isBetween(event.version, firstVersion, lastVersion) ||
      !isBetween(event.position, firstPosition, lastPosition),
  );
  return isElsewhere ? [violation('B', 'effect elsewhere than its outcome says', id)] : [];
}
