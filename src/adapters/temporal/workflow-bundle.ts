import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BundleOptions, bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';

const require = createRequire(import.meta.url);

/**
 * The workflows as the Workers take them: the bundle that `npm run build` has made, if we run from `dist/`. From source it is made
 * in two seconds or more and kept in the directory; its name is a hash of all that goes into it.
 */
export async function loadWorkflowBundle(cacheDirectory: string): Promise<WorkflowBundleOption> {
  if (import.meta.url.endsWith('.js')) return { codePath: fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url)) };
  const codePath = join(cacheDirectory, 'workflow-bundles', `${hashOfSources()}.js`);
  if (!existsSync(codePath)) keep(await bundleWorkflows(fileURLToPath(new URL('./workflows/index.ts', import.meta.url))), codePath);
  return { codePath };
}

/** The code of the workflows that this module exports, and of all that they import. */
export async function bundleWorkflows(workflowsPath: string): Promise<string> {
  // Every Worker keeps the whole of it, its source map twice: so it is made small, and the map has the positions that stack traces
  // need, without the sources. For 20 Workers that is 70 MB.
  const webpackConfigHook: BundleOptions['webpackConfigHook'] = (config) => ({
    ...config,
    devtool: 'inline-nosources-source-map',
    optimization: { ...config.optimization, minimize: true },
  });
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: silent, webpackConfigHook });
  return code;
}

function hashOfSources(): string {
  const directory = fileURLToPath(new URL('./workflows/', import.meta.url));
  const hash = createHash('sha256').update((require('@temporalio/worker/package.json') as { version: string }).version);
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  for (const file of globSync('**/*.ts', { cwd: directory }).toSorted()) hash.update(file).update(readFileSync(join(directory, file)));
  return hash.digest('hex').slice(0, 32);
}

/** In one move: another process may look for it at the same time. */
function keep(code: string, codePath: string): void {
  const unfinished = `${codePath}.${process.pid}`;
  mkdirSync(join(codePath, '..'), { recursive: true });
  writeFileSync(unfinished, code);
  renameSync(unfinished, codePath);
}

const silent = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error };
