import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../local/paths.ts';
import { codeBlocks, codeSpans, section } from '../testing/markdown.ts';
import { readFromRoot } from '../testing/tracked-files.ts';

const text = readFromRoot('docs/client.md');

/** What the reader has: the settings, and the ids. */
const given = ['apiUrl', 'publishableKey', 'email', 'password', 'orderId', 'budgetId', 'tenantId', 'userId'].map((name) => `declare const ${name}: string;`);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(projectRoot, 'node_modules', '.documentation-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('the code of docs/client.md compiles, as one program', async () => {
  const code = codeBlocks(text, 'ts').join('\n').replaceAll(`'intent/client'`, `'../../src/client/index.ts'`);
  await writeFile(join(directory, 'client.ts'), [...given, code].join('\n'));
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', include: ['client.ts'] }));
  expect(await compile()).toBe('');
});

test('docs/client.md explains every code of a FollowError', () => {
  const source = readFromRoot('src/client/errors.ts');
  const codes = [...source.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, code]) => code!);
  expect(codes).toContain('UNAVAILABLE');
  expect(codes.filter((code) => !codeSpans(section(text, 'Errors')).includes(code))).toEqual([]);
});

/** What the compiler has to say. */
function compile(): Promise<string> {
  const tsc = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', directory], (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}
