import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fixture as the newest migration that includes it has written it out. */
export interface CommittedFixture {
  readonly text: string;
  readonly migration: string;
}

const begin = /^--! Included (\S+)$/;
const end = /^--! EndIncluded (\S+)$/;

/** The committed migrations in their order: name and text. */
export function readCommitted(sqlDirectory: string): readonly { readonly name: string; readonly text: string }[] {
  const folder = join(sqlDirectory, 'committed');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^\d+.*\.sql$/.test(name)).toSorted();
  return names.map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
}

/** What the committed migrations have made of each fixture last, by its file. */
export function readCommittedFixtures(sqlDirectory: string): ReadonlyMap<string, CommittedFixture> {
  const newest = new Map<string, CommittedFixture>();
  for (const { name, text } of readCommitted(sqlDirectory)) {
    for (const [file, fixture] of includedIn(text)) newest.set(file, { text: fixture, migration: name });
  }
  return newest;
}

/** The fixtures that a migration has written out, without those that they include themselves. */
export function includedIn(migration: string): ReadonlyMap<string, string> {
  const included = new Map<string, string>();
  const open: { file: string; lines: string[] }[] = [];
  for (const line of migration.split('\n')) {
    const file = begin.exec(line)?.[1];
    if (file !== undefined) open.push({ file, lines: [] });
    else if (end.test(line)) {
      const { file: closed, lines } = open.pop()!;
      included.set(closed, lines.join('\n'));
    } else open.at(-1)?.lines.push(line);
  }
  return included;
}
