// `npm run build`: what runs in production, as JavaScript in dist/, and the workflows as one bundle, so that a worker need not bundle
// them when it starts.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflows } from '../src/adapters/temporal/workflow-bundle.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
compile();
writeFileSync(join(dist, 'workflow-bundle.js'), await bundleWorkflows(join(root, 'src', 'adapters', 'temporal', 'workflows', 'index.ts')));
console.log(`Built ${dist}`);

function compile(): void {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '--project', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
