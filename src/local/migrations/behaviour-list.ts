import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fixture of `behaviour.sql`, and the role that it is run as; null: the migrating role itself. */
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

/** Reads `sql/fixtures/behaviour.sql`. Throws for a line that is neither a comment, a role nor an include, unless it is at the end. */
export function readBehaviourList(sqlDirectory: string): BehaviourList {
  const fixtures: ListedFixture[] = [];
  let role: string | null = null;
  let end: string[] = [];
  for (const line of readFileSync(join(sqlDirectory, 'fixtures', 'behaviour.sql'), 'utf8').split('\n')) {
    const file = include.exec(line)?.[1];
    if (file !== undefined) {
      if (end.length > 0) throw new Error(`sql/fixtures/behaviour.sql: ${end[0]} stands before ${file}; statements may follow the last fixture only.`);
      fixtures.push({ file, role });
    } else if (line === 'reset role;') role = null;
    else if (setRole.test(line)) role = setRole.exec(line)![1]!;
    else if (line.trim() !== '' && !line.startsWith('--')) end = [...end, line];
  }
  return { fixtures, end: end.join('\n') };
}
