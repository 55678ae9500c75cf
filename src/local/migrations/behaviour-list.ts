import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fixture of a list, and the role that it is run as; null: the migrating role itself. */
export interface ListedFixture {
  readonly file: string;
  readonly role: string | null;
}

export interface BehaviourList {
  /** In their order. Files are named from `sql/fixtures/`. */
  readonly fixtures: readonly ListedFixture[];
  /** The statements after the last fixture, such as the NOTIFY to the Data API: they end every change of behaviour. */
  readonly end: string;
}

const setRole = /^set local role (\w+);$/;
const include = /^--!include (\S+)$/;

/** Of the framework and of the app, in the order in which they are laid. */
export const behaviourLists = ['behaviour.sql', 'app/behaviour.sql'] as const;

/** Reads both lists. Throws for a line that is neither a comment, a role nor an include, unless it is at the end. */
export function readBehaviourList(sqlDirectory: string): BehaviourList {
  const lists = behaviourLists.map((list) => readList(sqlDirectory, list));
  return { fixtures: lists.flatMap(({ fixtures }) => fixtures), end: lists.at(-1)!.end };
}

function readList(sqlDirectory: string, list: string): BehaviourList {
  const fixtures: ListedFixture[] = [];
  let role: string | null = null;
  let end: string[] = [];
  for (const line of readFileSync(join(sqlDirectory, 'fixtures', list), 'utf8').split('\n')) {
    const file = include.exec(line)?.[1];
    if (file !== undefined) {
      if (end.length > 0) throw new Error(`sql/fixtures/${list}: ${end[0]} stands before ${file}; statements may follow the last fixture only.`);
      fixtures.push({ file, role });
    } else if (line === 'reset role;') role = null;
    else if (setRole.test(line)) role = setRole.exec(line)![1]!;
    else if (line.trim() !== '' && !line.startsWith('--')) end = [...end, line];
  }
  return { fixtures, end: end.join('\n') };
}
