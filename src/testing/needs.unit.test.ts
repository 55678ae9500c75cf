import { describe, expect, test } from 'vitest';
import { needs } from './needs.ts';
import { readFromRoot, trackedFiles } from './tracked-files.ts';

/** Each leaves tests out, or others, without saying why. */
const silent = /\b(?:describe|it|test|suite)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|only)\b|\.skip\(\)|\b(?:x?it|test|describe)\([^\n]*\b(?:skip|todo|only): /;

describe('a test is left out', () => {
  test('with the reason that it gives', () => {
    expect(needs(undefined, 'there is no Temporal')).toEqual({ skip: true, meta: { whySkipped: 'there is no Temporal' } });
    expect(needs({}, 'there is no Temporal')).toEqual({});
  });

  const files = trackedFiles().filter((file) => file.endsWith('.test.ts') && file !== 'src/testing/needs.unit.test.ts');
  test('in no other way', () => {
    expect(files.filter((file) => silent.test(readFromRoot(file)))).toEqual([]);
  });

  test.each(['it.skip(', 'test.skipIf(true)(', 'describe.runIf(a)(', 'test.only(', 'it.todo(', 'it.concurrent.skip(', 'context.skip()', `it('x', { skip: true }, `])(
    'and not by %s', (code) => expect(code).toMatch(silent));
});
