// `npm run build`: what runs in production, as JavaScript in dist/ (or in the directory that is named), and the workflows as one bundle,
// so that a worker need not bundle them when it starts. What neither of the processes nor a command of production loads is left out: the
// local stack with its gateway, the client, the sources of the workflows.
import { spawnSync } from 'node:child_process';
import { globSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundleWorkflows } from '../src/adapters/temporal/workflow-bundle.ts';
import { loadedFiles } from './loaded-files.ts';

const root = join(import.meta.dirname, '..');
const dist = resolve(process.argv[2] ?? join(root, 'dist'));
const entries = ['main/worker.js', 'main/command-pump.js', 'cli/intent.js'];
/** `intent start` is for a checkout, and says so elsewhere. */
const leftOut = ['cli/start.js'];

rmSync(dist, { recursive: true, force: true });
compile();
removeWhatNobodyLoads();
writeFileSync(join(dist, 'workflow-bundle.js'), await bundleWorkflows(join(root, 'src', 'adapters', 'temporal', 'workflows', 'index.ts')));
console.log(`Built ${dist}`);

function compile(): void {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '--project', 'tsconfig.build.json', '--outDir', dist], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

function removeWhatNobodyLoads(): void {
  const { files } = loadedFiles(dist, entries, leftOut);
  for (const file of globSync('**/*.{js,map}', { cwd: dist })) {
    if (!files.has(file.replace(/\.map$/, ''))) rmSync(join(dist, file));
  }
  // The deepest first: of folders the empty ones only.
  const folders = globSync('**/', { cwd: dist }).toSorted((a, b) => b.length - a.length);
  for (const folder of folders) if (globSync('*', { cwd: join(dist, folder) }).length === 0) rmdirSync(join(dist, folder));
}
