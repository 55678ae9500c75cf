import type { EventRow, Evidence } from './evidence.ts';
import { groupBy, streamKey } from './group.ts';
import { type Violation, violation } from './violation.ts';

/** C: every stream's versions are 1..n and every tenant's positions are 1..m, no holes, no doubles, and in one order. */
export function checkNumbering({ events }: Evidence): Violation[] {
  const ofTenants = [...groupBy(events, ({ tenantId }) => tenantId)].flatMap(([tenantId, all]) =>
    count('position', `tenant ${tenantId}`, all.map(({ position }) => position)),
  );
  const ofStreams = [...groupBy(events, streamKey)].flatMap(([id, stream]) => [
    ...count('version', id, stream.map(({ version }) => version)),
    ...swaps(id, stream),
  ]);
  return [...ofTenants, ...ofStreams];
}

function count(what: string, where: string, numbers: readonly number[]): Violation[] {
  const seen = new Set(numbers);
  const doubled = seen.size < numbers.length ? [violation('C', `${what} doubled`, where)] : [];
  const highest = Math.max(...seen);
  const missing = Array.from({ length: highest }, (_, index) => index + 1).find((number) => !seen.has(number));
  return missing === undefined ? doubled : [...doubled, violation('C', `hole in the ${what}s`, `${where}: ${missing} is missing`)];
}

function swaps(where: string, stream: readonly EventRow[]): Violation[] {
  const inOrder = stream.toSorted((one, other) => one.position - other.position);
  const swapped = inOrder.find(({ version }, index) => index > 0 && version < inOrder[index - 1]!.version);
  return swapped === undefined ? [] : [violation('C', 'swap', `${where}: version ${swapped.version} comes after a later one`)];
}
