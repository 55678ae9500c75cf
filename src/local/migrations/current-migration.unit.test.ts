import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasCurrentMigration } from './current-migration.ts';

let sql: string;
beforeEach(() => {
  sql = mkdtempSync(join(tmpdir(), 'intent-current-'));
});
afterEach(() => rmSync(sql, { recursive: true }));

function write(text: string): void {
  mkdirSync(join(sql, 'current'), { recursive: true });
  writeFileSync(join(sql, 'current', '1-current.sql'), text);
}

const blank = "-- State goes here.\n-- By --!include.\nset local lock_timeout = '500ms';\nset local statement_timeout = '60s';\n";

test('a migration with comments and time-outs alone is not being written', () => {
  expect(hasCurrentMigration(sql)).toBe(false);
  write(blank);
  expect(hasCurrentMigration(sql)).toBe(false);
});

test.each(['select 1;', '--!include tables/things.sql', 'set local role intent_owner;'])('one with `%s` is', (line) => {
  write(`${blank}${line}\n`);
  expect(hasCurrentMigration(sql)).toBe(true);
});
