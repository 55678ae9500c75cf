import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from '../stack-error.ts';
import { behaviourLists, type ListedFixture, readBehaviourList } from './behaviour-list.ts';
import { type CommittedFixture, readCommitted, readCommittedFixtures } from './committed-fixtures.ts';
import { droppedNowhere } from './dropped-objects.ts';

const written = '2-behaviour.sql';

const head = `-- Written anew by each \`npm run db:watch\` and \`npm run db:commit\`, and before each test: the fixtures that are not what the committed
-- migrations have made of them, in the order of fixtures/behaviour.sql and fixtures/app/behaviour.sql. Not to be edited.
`;

/**
 * Writes `sql/current/2-behaviour.sql`: what the current migration changes of the behaviour, or no file if that is nothing. Fixtures of
 * `besides` are written in any case. Returns the fixtures that are in it.
 *
 * Throws `StackError` if a fixture is in no list, or if one is gone and no migration drops what it had made.
 */
export function writeBehaviour(sqlDirectory: string, besides: ReadonlySet<string> = new Set()): readonly string[] {
  const { fixtures, end } = readBehaviourList(sqlDirectory);
  const committed = readCommittedFixtures(sqlDirectory);
  refuseUnlisted(sqlDirectory, fixtures);
  refuseUndropped(sqlDirectory, fixtures, committed);
  const changed = fixtures.filter(({ file }) => besides.has(file) || fixtureText(sqlDirectory, file) !== committed.get(file)?.text);
  replaceFile(join(sqlDirectory, 'current', written), changed.length === 0 ? undefined : compose(changed, end));
  return changed.map(({ file }) => file);
}

/** As graphile-migrate writes it out. */
function fixtureText(sqlDirectory: string, file: string): string {
  return readFileSync(join(sqlDirectory, 'fixtures', file), 'utf8').trim();
}

function compose(fixtures: readonly ListedFixture[], end: string): string {
  const lines: string[] = [];
  let role: string | null = null;
  for (const fixture of fixtures) {
    if (fixture.role !== role) lines.push(fixture.role === null ? 'reset role;' : `set local role ${fixture.role};`);
    role = fixture.role;
    lines.push(`--!include ${fixture.file}`);
  }
  if (role !== null) lines.push('reset role;');
  return `${head}${lines.join('\n')}\n${end}\n`;
}

/** Several tests may write it at once: anyone who reads the file reads all of it. */
function replaceFile(file: string, text: string | undefined): void {
  if (text === undefined) return rmSync(file, { force: true });
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}

function refuseUnlisted(sqlDirectory: string, listed: readonly ListedFixture[]): void {
  const known = new Set(listed.map(({ file }) => file));
  const state = new Set(stateFixtures(sqlDirectory));
  const files = readdirSync(join(sqlDirectory, 'fixtures'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.sql'));
  const unlisted = files.filter((file) => !known.has(file) && !state.has(file) && !lists.includes(file));
  if (unlisted.length === 0) return;
  throw new StackError(
    `No migration would have ${unlisted.map((file) => `sql/fixtures/${file}`).join(', ')}.`,
    'Behaviour is listed in sql/fixtures/app/behaviour.sql, in the order in which it can be made, tables in sql/fixtures/app/state.sql; the framework\'s beside them.',
  );
}

const stateLists = ['state.sql', 'app/state.sql'];
const lists: readonly string[] = [...behaviourLists, ...stateLists];

/** Whether a fixture is of the state: an empty database is made of it, and a migration says the way there. */
export function isState(sqlDirectory: string, file: string): boolean {
  return stateLists.includes(file) || stateFixtures(sqlDirectory).includes(file);
}

function stateFixtures(sqlDirectory: string): string[] {
  const text = stateLists.map((list) => readFileSync(join(sqlDirectory, 'fixtures', list), 'utf8')).join('\n');
  return [...text.matchAll(/^--!include (\S+)$/gm)].map(([, file]) => file!);
}

function refuseUndropped(
  sqlDirectory: string,
  listed: readonly ListedFixture[],
  committed: ReadonlyMap<string, CommittedFixture>,
): void {
  const known = new Set([...listed.map(({ file }) => file), ...stateFixtures(sqlDirectory), ...lists]);
  const migrations = readCommitted(sqlDirectory);
  const current = readdirSync(join(sqlDirectory, 'current')).filter((file) => file.endsWith('.sql') && file !== written);
  const writing = current.map((file) => readFileSync(join(sqlDirectory, 'current', file), 'utf8')).join('\n');
  for (const [file, { text, migration }] of committed) {
    if (known.has(file)) continue;
    const since = migrations.filter(({ name }) => name > migration).map((later) => later.text);
    const [object] = droppedNowhere(text, [...since, writing].join('\n'));
    if (object === undefined) continue;
    throw new StackError(
      `sql/fixtures/${file} is gone, and what it had made would stay: ${object.kind} ${object.name}.`,
      `Drop it in sql/current/1-current.sql (drop ${object.kind} if exists ${object.name} …), or list the file in sql/fixtures/app/behaviour.sql.`,
    );
  }
}
