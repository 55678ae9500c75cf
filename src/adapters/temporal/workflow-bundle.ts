import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';

/** The bundle that `npm run build` has made, where we run from `dist/`; else it is made now, in about two seconds. */
export async function loadWorkflowBundle(): Promise<WorkflowBundleOption> {
  if (import.meta.url.endsWith('.js')) return { codePath: fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url)) };
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflows/index.ts', import.meta.url)),
    logger: silent,
  });
}

const silent = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error };
