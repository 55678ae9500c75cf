import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deleteStackData, openStackDirectory } from './stack-directory.ts';

let parent: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'intent-directory-'));
});

afterEach(() => rmSync(parent, { recursive: true, force: true }));

it('makes the directory where it is missing', () => {
  openStackDirectory(join(parent, 'a', 'b'));
  expect(existsSync(join(parent, 'a', 'b'))).toBe(true);
});

it('says so when the directory cannot be written', () => {
  writeFileSync(join(parent, 'file'), '');
  expect(() => openStackDirectory(join(parent, 'file', 'b'))).toThrow(`${join(parent, 'file', 'b')} cannot be written`);
});

it('deletes what a stack keeps, and nothing else', () => {
  mkdirSync(join(parent, 'postgres'));
  mkdirSync(join(parent, 'test'));
  deleteStackData(parent);
  expect(existsSync(join(parent, 'postgres'))).toBe(false);
  expect(existsSync(join(parent, 'test'))).toBe(true);
});
