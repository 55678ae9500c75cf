import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkClock, recordClock } from './clock.ts';

const noon = new Date('2026-12-01T12:00:00Z');
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'intent-clock-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('accepts a clock that goes forward, or back by less than a minute', () => {
  recordClock(directory, noon);
  for (const now of ['2027-01-01T00:00:00Z', '2026-12-01T11:59:30Z']) {
    expect(() => checkClock(directory, new Date(now))).not.toThrow();
  }
});

it('refuses a clock that is more than a minute behind what this stack has seen', () => {
  recordClock(directory, noon);
  expect(() => checkClock(directory, new Date('2026-12-01T11:58:00Z'))).toThrow('has run at 2026-12-01T12:00:00.000Z already');
});

it('refuses a clock from before this software was made', () => {
  expect(() => checkClock(directory, new Date('1970-01-01T00:00:10Z'))).toThrow('before this software was made');
});
