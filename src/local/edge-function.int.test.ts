import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createScratchDirectory, type ScratchDirectory } from '../testing/scratch-directory.ts';
import { chooseTestPort } from '../testing/test-port.ts';
import { cacheDirectory } from './cache-directory.ts';
import { denoEnvironment, findDeno } from './deno.ts';
import { startEdgeFunction } from './edge-function.ts';
import { projectRoot } from './paths.ts';

const run = promisify(execFile);
const functions = join(projectRoot, 'supabase', 'functions');

let home: ScratchDirectory;

beforeAll(async () => {
  home = await createScratchDirectory();
});

afterAll(() => home.remove());

function deno(...args: string[]) {
  return run(findDeno(), args, { cwd: join(functions, 'command'), env: denoEnvironment(cacheDirectory()) });
}

test('the function answers once it is started, and no more once it is stopped', async () => {
  const { url, stop } = await startEdgeFunction({
    home: home.path,
    port: await chooseTestPort(),
    supabaseUrl: 'http://127.0.0.1:9',
    publishableKey: 'sb_publishable_test',
    allowedOrigins: [],
    cacheDirectory: cacheDirectory(),
    log: () => {},
  });
  expect((await fetch(url, { method: 'POST' })).status).toBe(401);
  await stop();
  await stop();
  await expect(fetch(url, { method: 'POST' })).rejects.toThrow('fetch failed');
});

test('Deno finds no error of types in the function, and its lock file is up to date', async () => {
  await expect(deno('check', '--quiet', '--frozen', '--node-modules-dir=none', 'index.ts')).resolves.toMatchObject({ stderr: '' });
}, 60_000);

test("Deno's linter has nothing to say", async () => {
  await expect(deno('lint', '--quiet', '.', '../_shared/command-definitions.ts')).resolves.toMatchObject({ stderr: '' });
});

test('the function imports nothing that would not be deployed with it', async () => {
  const { stdout } = await deno('info', '--json', '--node-modules-dir=none', 'index.ts');
  const { modules } = JSON.parse(stdout) as { modules: { specifier: string; local?: string }[] };
  const outside = modules.filter(({ specifier, local }) => !specifier.startsWith('npm:') && !local?.startsWith(functions));
  expect(outside).toEqual([]);
});

test('the function checks payloads with the same version of the schema library as the worker', () => {
  const { imports } = readJson(join(functions, 'command', 'deno.json')) as { imports: { zod: string } };
  const { dependencies } = readJson(join(projectRoot, 'package.json')) as { dependencies: { zod: string } };
  expect(imports.zod).toBe(`npm:zod@${dependencies.zod}`);
});

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
