import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { codeSpans, section } from './markdown.ts';
import { readFromRoot } from './tracked-files.ts';

const text = readFromRoot('docs/security.md');

/** The attacks that the Edge Function is built against. To leave one out of the page is to have decided not to make it. */
const attacks = [
  'alg none', 'HS256 signed with the public key', 'embedded jwk', 'jku, x5u', 'path or SQL in kid', 'unknown kid (refetch rate-limited)',
  'expired', 'nbf or iat in the future', 'wrong aud', 'wrong iss', 'no exp or sub', 'stripped signature', 'token over 8 KiB',
  'duplicate claims', 'anon or service token', 'one body for all', 'JWKS unreachable: cached keys, else 503',
  'tenant claim missing', 'tenant claim an array', 'tenant claim empty', 'tenant claim not a uuid', 'tenant claim in other case',
  'tenant claim with a Unicode look-alike', 'tenant only in user_metadata', 'body names another tenant', 'not a member', 'no longer a member',
  '`__proto__` and `constructor` keys', 'NaN', '1e400', 'integers above 2^53', 'U+0000', 'lone surrogates', 'invalid UTF-8',
  'nesting over 32', 'unknown command type', 'payload that fails its schema', 'id reused with other content', 'body over 256 KiB',
  'counted while streaming', 'wrong type', 'wrong encoding', 'other methods', 'over a tenant’s rate, with Retry-After',
  'over a user’s rate, with Retry-After', 'configured origins only', 'not yours and not there: one answer', 'secrets in logs',
];

interface Line {
  readonly cells: readonly string[];
  readonly tests: readonly string[];
  /** The text of the files that are linked. */
  readonly source: string;
}

/** The lines of a section's table; the last two cells are tests and files. */
function linesOf(title: string): Line[] {
  const rows = section(text, title).match(/^\| .*\|$/gm)!.slice(2);
  return rows.map((row) => {
    const cells = row.slice(2, -2).split(' | ');
    const paths = [...cells.at(-1)!.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => posix.join('docs', path!));
    return { cells, tests: codeSpans(cells.at(-2)!), source: paths.map(readFromRoot).join('\n') };
  });
}

const pitfalls = linesOf('The 34 pitfalls of SQL');
const answers = linesOf('What the Edge Function answers');
const chosen = linesOf('What a member may choose');
const gateway = linesOf('What the local gateway answers');

test('each named test is in the file that is linked', () => {
  const lines = [...pitfalls, ...answers, ...chosen, ...gateway];
  expect(lines.filter(({ tests }) => tests.length === 0)).toEqual([]);
  const missing = lines.flatMap(({ tests, source }) => tests.filter((name) => !source.includes(name)));
  expect(missing).toEqual([]);
});

test('each of the 34 pitfalls has a line, and its tests bear its number', () => {
  expect(pitfalls.map(({ cells }) => Number(cells[0]))).toEqual(Array.from({ length: 34 }, (_, index) => index + 1));
  const strangers = pitfalls.flatMap(({ cells: [number], tests, source }) => {
    const inOneLine = source.replaceAll(/\s+/g, ' ');
    const headings = [`pitfall ${number}: `, ...[`'`, '"', '`'].map((quote) => `number: ${number}, name: ${quote}`)];
    return tests.filter((name) => !headings.some((heading) => inOneLine.includes(heading + name)));
  });
  expect(strangers).toEqual([]);
});

test('each attack on the Edge Function has a line', () => {
  const named = answers.map(({ cells }) => cells[1]!);
  expect(attacks.filter((attack) => !named.includes(attack))).toEqual([]);
});
