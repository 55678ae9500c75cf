import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../local/paths.ts';
import { readFromRoot, trackedFiles } from './tracked-files.ts';

/** What a secret looks like, with a sample in two pieces, which this file does not hold as a whole. */
const shapes = [
  { what: 'a private key', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/, sample: ['-----BEGIN EC', ' PRIVATE KEY-----'] },
  { what: 'the private part of a JWK', pattern: /["']?\bd["']?\s*:\s*["'][\w-]{40,}["']/, sample: ['"d": "', `${'aB3_'.repeat(11)}"`] },
  { what: 'a token', pattern: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\./, sample: ['eyJhbGciOiJFUzI1NiJ9', '.eyJzdWIiOiIxMjM0In0.c2ln'] },
  { what: 'a secret key of Supabase', pattern: /\b(sb_secret|sbp)_\w{20,}/, sample: ['sb_secret', `_${'k'.repeat(24)}`] },
  { what: 'a key of AWS', pattern: /\bAKIA[0-9A-Z]{16}\b/, sample: ['AKIA', 'Z'.repeat(16)] },
  { what: 'a token of GitHub or npm', pattern: /\b(gh[pousr]|npm|github_pat)_\w{30,}/, sample: ['ghp', `_${'x'.repeat(36)}`] },
  { what: "a registry's password", pattern: /:_(authToken|password|auth)\s*=/, sample: ['//registry.example/:_auth', 'Token=x'] },
  // To this machine, to `.example`, or to a name of one word, there is none; `$` begins a placeholder.
  {
    what: 'a password in an address',
    pattern: /:\/\/[^\s:@/$]+:[^\s:@/$]+@((?:[\w-]+\.)+(?!example\b)[a-z]{2,}|(?!127\.)\d+(?:\.\d+){3})/,
    sample: ['postgresql://postgres:hunter2', '@db.abcdefgh.supabase.co/postgres'],
  },
] as const;

const files = trackedFiles().filter((path) => !/\.(png|jpg|ico|woff2?)$/.test(path));

describe('no file of the repository holds', () => {
  test.each(shapes)('$what', ({ pattern, sample }) => {
    expect(sample.join('')).toMatch(pattern);
    const found = files.flatMap((path) =>
      readFromRoot(path).split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
    );
    expect(found).toEqual([]);
  });
});

test('git leaves alone what holds secrets', () => {
  const holders = ['.env', '.intent/secrets.json', '.intent/stack.json', 'dist/.env'];
  const ignored = execFileSync('git', ['check-ignore', ...holders], { cwd: projectRoot, encoding: 'utf8' });
  expect(ignored.trim().split('\n')).toEqual(holders);
});
