import type { Person, Shown } from './shown-rows.ts';

const kinds: readonly Person['kind'][] = ['owner', 'member', 'guest', 'invited', 'removed', 'stranger'];

/** For people: a line for each table or view, a column for each kind of person with the most that one of them is shown. */
export function asTable(shown: readonly Shown[]): string {
  const present = kinds.filter((kind) => shown.some(({ person }) => person.kind === kind));
  const relations = [...new Map(shown.map(({ relation, owned }) => [relation, owned]))];
  const ofKind = (kind: Person['kind']) => shown.filter(({ person }) => person.kind === kind);
  const header = ['', ...present.map((kind) => `${kind} (${ofKind(kind).length / relations.length})`), 'owned'];
  const lines = relations.map(([relation, owned]) => {
    const cells = present.map((kind) => cell(ofKind(kind).filter((one) => one.relation === relation)));
    return [relation, ...cells, String(owned)];
  });
  const widths = header.map((_, column) => Math.max(...[header, ...lines].map((line) => line[column]!.length)));
  const aligned = (line: readonly string[]) =>
    line.map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)));
  return [header, ...lines].map((line) => aligned(line).join('  ')).join('\n');
}

function cell(shown: readonly Shown[]): string {
  const most = Math.max(...shown.map((one) => one.shown));
  return shown.some(({ foreign }) => foreign > 0) ? `LEAK ${most}` : String(most);
}

/** A line for each leak; empty if there is none. */
export function leaksOf(shown: readonly Shown[]): string[] {
  return shown
    .filter(({ foreign }) => foreign > 0)
    .map(
      ({ relation, person: { kind, userId }, foreign }) =>
        `LEAK: ${relation} shows ${foreign} rows that it must not to the ${kind} ${userId}`,
    );
}
