import type { TestProject } from 'vitest/node';
import { startStack } from '../local/stack.ts';
import type { StackInfo } from '../local/stack-info.ts';
import { createScratchDirectory } from './scratch-directory.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly stack: StackInfo;
  }
}

/** Beside those of `npm start` and of the tests on a database, so that all three can run at once. */
const preferredPorts = {
  api: 25321,
  database: 25322,
  temporal: 25323,
  temporalUi: 25324,
  postgrest: 25331,
  postgrestAdmin: 25332,
  edgeFunction: 25333,
  workerHealth: 25334,
  supplier: 25335,
};

/** Global set-up of the end-to-end tests: one whole stack for the run; a test gets its addresses by `inject('stack')`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scratch = await createScratchDirectory();
  const stack = await startStack({ directory: scratch.path, ports: preferredPorts, fresh: false, log: console.log });
  project.provide('stack', stack.info);
  return async () => {
    await stack.stop();
    scratch.remove();
  };
}
