import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { projectRoot } from '../src/local/paths.ts';
import { runProgram } from '../src/local/process/run-program.ts';
import { includedIn } from '../src/local/migrations/committed-fixtures.ts';
import { createMigrationFolder, type MigrationFolder } from '../src/testing/migration-folder.ts';

let folder: MigrationFolder;
beforeEach(() => {
  folder = createMigrationFolder(['committed', 'current', 'fixtures']);
  // graphile-migrate's hook calls the command `intent`.
  for (const part of ['src', 'node_modules', 'scripts']) symlinkSync(join(projectRoot, part), join(folder.path, part));
});
afterEach(() => folder.remove());

const commit = (...args: string[]) => runProgram(process.execPath, ['scripts/db-commit.ts', ...args], { cwd: folder.path, env: process.env });
const committed = () => readdirSync(join(folder.path, 'sql', 'committed')).toSorted();

describe('npm run db:commit', { timeout: 60_000 }, () => {
  test('makes a migration of the state and of the fixtures that have changed, and of no other', async () => {
    const fixture = 'fixtures/doorbell/wait_slot_count.sql';
    folder.write(fixture, folder.read(fixture).replace('select 4;', 'select 5;'));
    folder.write('current/1-current.sql', 'alter table intent.events add column if not exists attempted integer;\n');
    const before = committed();
    expect(await commit('more slots')).toMatchObject({ code: 0, output: expect.stringContaining('Changed fixtures: doorbell/wait_slot_count.sql') as string });

    const [made] = committed().filter((file) => !before.includes(file));
    expect(made).toMatch(/^\d{6}-more-slots\.sql$/);
    const text = readFileSync(join(folder.path, 'sql', 'committed', made!), 'utf8');
    expect([...includedIn(text).keys()]).toEqual(['doorbell/wait_slot_count.sql']);
    expect(text).toContain('add column if not exists attempted');
    expect(text.split('\n').length).toBeLessThan(80);
    expect(folder.read('current/1-current.sql')).not.toContain('attempted');
    expect(await commit('nothing')).toMatchObject({ code: 1, output: expect.stringContaining('There is nothing to commit.') as string });
  });

  test('commits nothing if PostgreSQL refuses the migration, and says what it said', async () => {
    folder.write('current/1-current.sql', 'alter table intent.no_such_table add column tried integer;\n');
    const before = committed();
    const { code, output } = await commit('in vain');
    expect(code).toBe(1);
    expect(output).toContain('relation "intent.no_such_table" does not exist');
    expect(output).toContain('Nothing was committed.');
    expect(committed()).toEqual(before);
    expect(folder.read('current/1-current.sql')).toContain('no_such_table');
  });

  test('says how it is called', async () => {
    expect(await commit()).toEqual({ code: 2, output: 'Usage: npm run db:commit -- "what it changes"\n' });
    expect(await commit('--help')).toEqual({ code: 0, output: 'Usage: npm run db:commit -- "what it changes"\n' });
  });
});
