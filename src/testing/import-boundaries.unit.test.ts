import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../local/paths.ts';

// The linter with the real .oxlintrc.json, run once over a tree of the same folders that holds one file for each case.

interface Case {
  readonly folder: string;
  /** (Default: a name of its own.) */
  readonly file?: string;
  readonly code: string;
  /** What the linter says; undefined if the code is allowed. */
  readonly refusal: string | undefined;
}

/** Where code may not be imported from: the table of docs/structure.md, from the side of the importing folder. */
const layers = [
  { folder: 'src/domain/slice', may: [], refusal: 'domain/ imports only itself' },
  { folder: 'src/ports', may: ['domain'], refusal: 'ports/ imports only domain/' },
  { folder: 'src/application', may: ['domain', 'ports'], refusal: 'application/ imports only domain/ and ports/' },
  { folder: 'src/client', may: ['domain'], refusal: 'client/ imports only domain/' },
  { folder: 'src/adapters/postgres', may: ['domain', 'ports', 'application'], refusal: 'adapters/X/ imports domain/, ports/, application/' },
  { folder: 'src/adapters/temporal', may: ['domain', 'ports', 'application'], refusal: 'adapters/X/ imports domain/, ports/, application/' },
  { folder: 'src/adapters/inline', may: ['domain', 'ports', 'application'], refusal: 'adapters/X/ imports domain/, ports/, application/' },
  { folder: 'src/main', may: ['domain', 'ports', 'application', 'adapters', 'client', 'local', 'cli', 'main', 'testing'], refusal: 'never' },
];
const sourceFolders = (await readdir(join(projectRoot, 'src'), { withFileTypes: true })).filter((entry) => entry.isDirectory());

const betweenFolders = layers.flatMap(({ folder, may, refusal }) =>
  sourceFolders
    .filter(({ name }) => !folder.startsWith(`src/${name}`))
    .map(({ name }): Case => ({
      folder,
      code: `import '${'../'.repeat(folder.split('/').length - 1)}${name}/something.ts';`,
      refusal: may.some((allowed) => allowed === name) ? undefined : refusal,
    })),
);

const packages: readonly Case[] = [
  { folder: 'src/domain/slice', code: `import 'node:crypto';`, refusal: 'domain/ imports no package and no node:*' },
  { folder: 'src/domain/slice', code: `import 'zod';`, refusal: 'domain/ imports no package and no node:*' },
  { folder: 'src/domain/slice', code: `export * from 'pg';`, refusal: 'domain/ imports no package and no node:*' },
  { folder: 'src/domain/slice', code: `export const pg = await import('pg');`, refusal: 'domain/ imports no package and no node:*' },
  { folder: 'src/domain/good', file: 'messages.ts', code: `import 'zod';`, refusal: undefined },
  { folder: 'src/domain/bad', file: 'messages.ts', code: `import 'pg';`, refusal: 'imports no package but zod' },
  { folder: 'src/domain/outward', file: 'messages.ts', code: `import '../../ports/clock.ts';`, refusal: 'domain/ imports only itself' },
  { folder: 'src/domain/slice', file: 'slice.unit.test.ts', code: `import 'fast-check';`, refusal: undefined },
  { folder: 'src/ports', code: `import 'pg';`, refusal: 'ports/ imports no package and no node:*' },
  { folder: 'src/application', code: `import 'node:timers/promises';`, refusal: 'application/ imports no package and no node:*' },
  { folder: 'src/adapters/postgres', code: `import 'pg'; import 'pg-listen'; import 'node:crypto';`, refusal: undefined },
  { folder: 'src/adapters/postgres', code: `import '@temporalio/client';`, refusal: 'adapters/postgres/ imports pg' },
  { folder: 'src/adapters/postgres', code: `import '../temporal/dispatcher.ts';`, refusal: 'never another adapter' },
  { folder: 'src/adapters/temporal', code: `import '@temporalio/client'; import './workflows/index.ts';`, refusal: undefined },
  { folder: 'src/adapters/temporal', code: `import 'pg';`, refusal: 'adapters/temporal/ imports @temporalio/*' },
  { folder: 'src/adapters/temporal', code: `import '../postgres/pool.ts';`, refusal: 'never another adapter' },
  { folder: 'src/adapters/inline', code: `import 'pg';`, refusal: 'An adapter imports only its own vendor' },
  { folder: 'src/adapters/inline', code: `import '../postgres/pool.ts';`, refusal: 'never another adapter' },
  { folder: 'src/adapters/temporal/workflows', code: `import '@temporalio/workflow'; import './other.ts';`, refusal: undefined },
  { folder: 'src/adapters/temporal/workflows', code: `import type { Activities } from '../activities.ts';`, refusal: undefined },
  { folder: 'src/adapters/temporal/workflows', code: `import '../activities.ts';`, refusal: 'Workflow code imports nothing from outside' },
  { folder: 'src/adapters/temporal/workflows', code: `import 'zod';`, refusal: 'Workflow code imports @temporalio/workflow only' },
  { folder: 'src/adapters/temporal/workflows', code: `import 'node:fs';`, refusal: 'Workflow code imports @temporalio/workflow only' },
  { folder: 'src/client', code: `import '@supabase/supabase-js';`, refusal: undefined },
  { folder: 'src/client', code: `import 'node:crypto';`, refusal: 'client/ must run in a browser' },
  { folder: 'src/client', code: `import 'pg';`, refusal: 'client/ imports no package but @supabase/supabase-js' },
  { folder: 'supabase/functions/command', code: `import 'jose'; import '../_shared/commands.ts';`, refusal: undefined },
  { folder: 'supabase/functions/command', code: `import '../../../src/domain/registry.ts';`, refusal: 'must deploy on its own' },
  { folder: 'supabase/functions/command', code: `import 'node:fs';`, refusal: 'supabase/functions/ imports npm packages' },
];

const readEnvironment = `export const home = process.env['HOME'];`;
const outsideWorld: readonly Case[] = [
  ...['src/adapters/postgres', 'src/application', 'src/main'].map((folder) => ({
    folder,
    code: readEnvironment,
    refusal: 'Only src/main/config.ts reads the environment',
  })),
  { folder: 'src/main', file: 'config.ts', code: readEnvironment, refusal: undefined },
  ...['src/local', 'src/cli', 'src/testing', 'scripts', 'bench', 'chaos'].map((folder) => ({ folder, code: readEnvironment, refusal: undefined })),
  { folder: 'src/domain/slice', code: `export const now = Date.now();`, refusal: 'the time is context.now' },
  { folder: 'src/domain/slice', code: `export const id = crypto.randomUUID();`, refusal: 'domain/ has no random source' },
  { folder: 'src/domain/slice', code: `export const luck = Math.random();`, refusal: 'domain/ has no random source' },
  { folder: 'src/client', code: `export const platform = process.platform;`, refusal: 'client/ must run in a browser' },
];

const cases = [...betweenFolders, ...packages, ...outsideWorld].map((one, index) => ({
  ...one,
  path: `${one.folder}/${one.file ?? `case-${index}.ts`}`,
}));

const boundaryRules = ['no-restricted-imports', 'no-restricted-globals', 'no-restricted-properties'];
let tree: string;
let findings: readonly Finding[];

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'intent-lint-'));
  await copyFile(join(projectRoot, '.oxlintrc.json'), join(tree, '.oxlintrc.json'));
  for (const { path, code } of cases) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), `${code}\n`);
  }
  findings = await lint(tree);
});

afterAll(() => rm(tree, { recursive: true, force: true }));

describe('the linter refuses', () => {
  test.for(cases.filter(({ refusal }) => refusal !== undefined))('$folder: $code', ({ path, refusal }) => {
    expect(messagesOn(path)).toEqual([expect.stringContaining(refusal!)]);
  });
});

describe('the linter allows', () => {
  test.for(cases.filter(({ refusal }) => refusal === undefined))('$folder: $code', ({ path }) => {
    expect(messagesOn(path)).toEqual([]);
  });
});

// The linter reads the whole tree with types: seconds on a machine of its own, a minute beside other tests.
test('the real tree keeps the boundaries', { timeout: 120_000 }, async () => {
  expect(await lint(projectRoot)).toEqual([]);
});

interface Finding {
  readonly filename: string;
  readonly code: string;
  readonly message: string;
  readonly help?: string;
}

/** What the linter finds that concerns the boundaries. */
async function lint(directory: string): Promise<Finding[]> {
  const oxlint = spawn(process.execPath, [join(projectRoot, 'node_modules/oxlint/bin/oxlint'), '--format=json'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(oxlint.stdout), once(oxlint, 'close')]);
  const { diagnostics } = JSON.parse(output) as { diagnostics: Finding[] };
  return diagnostics.filter(({ code }) => boundaryRules.some((rule) => code.includes(`(${rule})`)));
}

function messagesOn(path: string): string[] {
  return findings.filter(({ filename }) => filename === path).map(({ message, help }) => `${message} ${help ?? ''}`);
}
