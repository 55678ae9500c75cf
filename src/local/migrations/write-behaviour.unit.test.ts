import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeBehaviour } from './write-behaviour.ts';

let sql: string;

beforeEach(() => {
  sql = mkdtempSync(join(tmpdir(), 'intent-behaviour-'));
  mkdirSync(join(sql, 'current'));
  write('fixtures/state.sql', '--!include tables/things.sql\n');
  write('fixtures/app/state.sql', '');
  write('fixtures/app/behaviour.sql', '-- None.\nnotify somebody;\n');
  write('fixtures/tables/things.sql', 'create table app.things ();\n');
  list('one.sql', 'two.sql', 'three.sql');
  for (const name of ['one', 'two', 'three']) write(`fixtures/${name}.sql`, fixture(name));
  commit(1, 'one', 'two', 'three');
});
afterEach(() => rmSync(sql, { recursive: true }));

const fixture = (name: string, value = 1) => `create or replace function app.${name}() returns integer as $$ select ${value} $$;\n`;

function write(file: string, text: string): void {
  mkdirSync(dirname(join(sql, file)), { recursive: true });
  writeFileSync(join(sql, file), text);
}

/** The first two under one role, the others as the migrating role. */
function list(first: string, second: string, ...others: string[]): void {
  const includes = (files: string[]) => files.map((file) => `--!include ${file}\n`).join('');
  write('fixtures/behaviour.sql', `-- All.\nset local role app_owner;\n${includes([first, second])}reset role;\n${includes(others)}\nnotify somebody;\n`);
}

/** As graphile-migrate writes out what is included. */
function commit(number: number, ...names: string[]): void {
  const text = names.map((name) => `--! Included ${name}.sql\n${readFileSync(join(sql, 'fixtures', `${name}.sql`), 'utf8').trim()}\n--! EndIncluded ${name}.sql\n`);
  write(`committed/00000${number}-some.sql`, `--! Included behaviour.sql\n${text.join('')}--! EndIncluded behaviour.sql\n`);
}

function statements(): string[] {
  return readFileSync(join(sql, 'current', '2-behaviour.sql'), 'utf8').split('\n').filter((line) => line !== '' && !/^--(?!!)/.test(line));
}

describe('what a migration changes of the behaviour', () => {
  test('is nothing, and no file, if each fixture is what the migrations have made of it', () => {
    expect(writeBehaviour(sql)).toEqual([]);
    expect(readdirSync(join(sql, 'current'))).toEqual([]);
  });

  test('is the fixtures that differ, in the order of the list and under their roles, and then what ends every change', () => {
    write('fixtures/three.sql', fixture('three', 2));
    write('fixtures/two.sql', fixture('two', 2));
    expect(writeBehaviour(sql)).toEqual(['two.sql', 'three.sql']);
    expect(statements()).toEqual([
      'set local role app_owner;',
      '--!include two.sql',
      'reset role;',
      '--!include three.sql',
      'notify somebody;',
    ]);
  });

  test('is measured by the newest migration that has a fixture', () => {
    write('fixtures/two.sql', fixture('two', 2));
    commit(2, 'two');
    expect(writeBehaviour(sql)).toEqual([]);
    write('fixtures/two.sql', fixture('two', 1));
    expect(writeBehaviour(sql)).toEqual(['two.sql']);
  });

  test('has a fixture that was changed back, if a database was given it meanwhile', () => {
    expect(writeBehaviour(sql, new Set(['one.sql']))).toEqual(['one.sql']);
  });

  test('goes away when the last change is taken back', () => {
    write('fixtures/one.sql', fixture('one', 2));
    writeBehaviour(sql);
    write('fixtures/one.sql', fixture('one'));
    writeBehaviour(sql);
    expect(readdirSync(join(sql, 'current'))).toEqual([]);
  });

  test('is refused if a fixture is in no list', () => {
    write('fixtures/four.sql', fixture('four'));
    expect(() => writeBehaviour(sql)).toThrow('No migration would have sql/fixtures/four.sql.');
  });

  test('is refused if a fixture is gone and nothing drops what it had made', () => {
    rmSync(join(sql, 'fixtures', 'three.sql'));
    list('one.sql', 'two.sql');
    expect(() => writeBehaviour(sql)).toThrow('sql/fixtures/three.sql is gone, and what it had made would stay: function app.three.');
    write('current/1-current.sql', 'drop function if exists app.three();\n');
    expect(writeBehaviour(sql)).toEqual([]);
    write('current/1-current.sql', '');
    write('committed/000002-drop.sql', 'drop function app.three();\n');
    expect(writeBehaviour(sql)).toEqual([]);
  });

  test('is refused if a statement stands between two fixtures, since it would be lost', () => {
    write('fixtures/behaviour.sql', '--!include one.sql\nselect 1;\n--!include two.sql\n--!include three.sql\n');
    expect(() => writeBehaviour(sql)).toThrow('select 1; stands before two.sql');
  });
});
