import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockStack } from './stack-lock.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'intent-lock-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('refuses a second stack in the same directory, and names the first one', () => {
  const lock = lockStack(directory);
  expect(() => lockStack(directory)).toThrow(`A stack runs already in ${directory} (pid ${process.pid})`);
  lock.release();
});

it('can be taken again after its release', () => {
  lockStack(directory).release();
  expect(() => lockStack(directory).release()).not.toThrow();
});

it('takes over the lock of a stack whose pid belongs to another process now', () => {
  writeFileSync(join(directory, 'stack.lock'), JSON.stringify({ pid: process.pid, identity: 'another-boot/1' }));
  const lock = lockStack(directory);
  expect(() => lockStack(directory)).toThrow('runs already');
  lock.release();
});

it('takes over a lock that a crash has left empty', () => {
  writeFileSync(join(directory, 'stack.lock'), '');
  expect(() => lockStack(directory).release()).not.toThrow();
});
